"""Web Push: the contract, what a browser can read, VAPID, and which URLs may be called."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import Address, DeliveryJob, PushContent, PushUrgency
from carillon.errors import PermanentFailure, Reason
from carillon.settings import Environment, SettingsError
from carillon.testing.http_double import (
    HTTPDouble,
    HTTPRig,
    Reply,
    permanent,
    temporary,
    transport_cases,
)
from carillon.testing.patience import PATIENCE
from carillon.testing.providers import ProviderContract, delivery_job
from push_worker.providers.webpush import HOSTS, WebPushProvider, is_known
from push_worker.tests.browser import (
    SUBJECT,
    Browser,
    PushService,
    application_key,
    scalar,
    vapid_key,
)

# A push is taken once its status has come: nobody reads what else is said.
_ANSWERED = {"nothing there", "half an answer", "half an answer, then silence"}
CASES = (
    *(case for case in transport_cases(201) if case.name not in _ANSWERED),
    permanent("never heard of", Reply(404), Reason.DEAD_TOKEN, "404"),
    permanent("unsubscribed", Reply(410), Reason.DEAD_TOKEN, "410"),
    permanent("too big", Reply(413), Reason.PAYLOAD_TOO_LARGE, "413"),
    permanent("bad VAPID token", Reply(401), Reason.CONFIGURATION, "401"),
    permanent("another key's subscription", Reply(403), Reason.INVALID_ADDRESS, "403"),
    permanent("bad request", Reply(400, {"errno": 110}), Reason.OTHER, "400"),
    temporary("no room", Reply(507), Reason.PROVIDER_UNAVAILABLE, "507"),
)


def delivery_to(browser: Browser) -> DeliveryJob:
    return delivery_job("push", addresses=(Address(browser.token, "webpush"),))


class WebPushRig(HTTPRig):
    channel = "push"

    def __init__(self, double: HTTPDouble, service: PushService) -> None:
        super().__init__(double)
        self.service = service
        self.browser = service.browser = Browser(double.url)
        service.origin = double.url
        self.address = Address(self.browser.token, "webpush", "device_1")
        self.secrets = (scalar(), "canary-endpoint-77", "secret-of-this-push")
        self.now = datetime.now(UTC).timestamp()
        self.provider = WebPushProvider(
            vapid_key(), hosts=("127.0.0.1",), timeout=PATIENCE, clock=lambda: self.now
        )


@pytest.fixture
def rig() -> Iterator[WebPushRig]:
    service = PushService()
    with HTTPDouble(service) as double:
        rig = WebPushRig(double, service)
        yield rig
        rig.provider.close()


class TestWebPushContract(ProviderContract):
    cases = CASES


def test_the_browser_alone_reads_what_was_sent(rig: WebPushRig) -> None:
    push = PushContent(
        "Title",
        "Body",
        image="https://example.com/a.png",
        data={"order": "7"},
        action_url="https://example.com/orders/7",
        badge=0,
        collapse_key="orders",
        ttl=600,
    )
    rig.provider.send(rig.job(content=push, lane=Lane.HIGH))
    (request,) = rig.double.requests
    assert rig.browser.read(request.body) == {
        "title": "Title",
        "body": "Body",
        "image": "https://example.com/a.png",
        "action_url": "https://example.com/orders/7",
        "data": {"order": "7"},
        "badge": 0,
    }
    assert b"Title" not in request.body
    assert (request.headers["TTL"], request.headers["Urgency"]) == ("600", "high")
    assert request.headers["Topic"] == "orders"


def test_no_two_pushes_are_encrypted_alike(rig: WebPushRig) -> None:
    job = rig.job()
    rig.provider.send(job)
    rig.provider.send(job)
    first, second = rig.double.requests
    # The salt and the sender's key of that one record (RFC 8188, 2.1).
    assert first.body[:16] != second.body[:16]
    assert first.body[21:86] != second.body[21:86]


@pytest.mark.parametrize(
    ("ttl", "left", "expected"),
    [
        (None, None, "2419200"),
        (30, 60, "30"),
        (None, 60, "60"),
        (None, -5, "0"),
        (9**9, None, "2419200"),
    ],
)
def test_a_push_is_kept_no_longer_than_asked(
    rig: WebPushRig, ttl: int | None, left: int | None, expected: str
) -> None:
    rig.now = float(int(rig.now))
    now = datetime.fromtimestamp(rig.now, UTC)
    expires_at = None if left is None else now + timedelta(seconds=left)
    push = PushContent("T", ttl=ttl, priority=PushUrgency.NORMAL)
    rig.provider.send(rig.job(content=push, expires_at=expires_at, lane=Lane.HIGH))
    (request,) = rig.double.requests
    assert (request.headers["TTL"], request.headers["Urgency"]) == (expected, "normal")
    assert "Topic" not in request.headers


def test_a_token_serves_its_service_for_eleven_hours(rig: WebPushRig) -> None:
    for seconds in (0, 11 * 3600 - 1, 1):
        rig.now += seconds
        rig.provider.send(rig.job())
    assert rig.service.tokens[0] == rig.service.tokens[1] != rig.service.tokens[2]


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evilpush.apple.com.example/x",
        "https://push.apple.com.evil.example/x",
        "https://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:6379/x",
        "http://localhost:9200/x",
        "https://2130706433/x",
        "https://[::1]/x",
        "ftp://fcm.googleapis.com/x",
    ],
)
def test_a_subscription_cannot_make_us_call_anybody(endpoint: str) -> None:
    browser = Browser("")
    browser.endpoint = endpoint
    provider = WebPushProvider(vapid_key())
    with pytest.raises(PermanentFailure) as caught:
        provider.send(delivery_to(browser))
    provider.close()
    assert caught.value.reason is Reason.INVALID_ADDRESS
    assert endpoint not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "pattern"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "LOCALHOST"),
        ("localhost", "*.example.com,localhost"),
    ],
)
def test_a_host_that_was_named_is_called(host: str, pattern: str) -> None:
    service = PushService()
    with HTTPDouble(service) as double:
        service.origin = double.url.replace("127.0.0.1", host)
        service.browser = Browser(service.origin)
        provider = WebPushProvider(vapid_key(), hosts=pattern.split(","), timeout=PATIENCE)
        provider.send(delivery_to(service.browser))
        provider.close()
        assert double.took == 1


@pytest.mark.parametrize(
    "host",
    [
        "fcm.googleapis.com",
        "updates.push.services.mozilla.com",
        "web.push.apple.com",
        "wns2-am3p.notify.windows.com",
    ],
)
def test_the_known_services_are_allowed(host: str) -> None:
    assert is_known(host, HOSTS)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "canary",
        "{}",
        '{"endpoint": "https://fcm.googleapis.com/x"}',
        '{"endpoint": "https://fcm.googleapis.com/x", "keys": {"p256dh": "AAAA", "auth": "AAAA"}}',
        Browser("https://user@fcm.googleapis.com").token,
        Browser("https://fcm.googleapis.com", "/é").token,
        Browser("https://[fcm").token,
        Browser("https://fcm.googleapis.com:port").token,
    ],
)
def test_what_is_no_subscription_is_dead(token: str) -> None:
    provider = WebPushProvider(vapid_key())
    with pytest.raises(PermanentFailure) as caught:
        provider.send(delivery_job("push", addresses=(Address(token, "webpush"),)))
    provider.close()
    assert caught.value.reason is Reason.DEAD_TOKEN


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("WEBPUSH_PRIVATE_KEY", scalar())
    monkeypatch.setenv("WEBPUSH_SUBJECT", SUBJECT)
    return monkeypatch


def test_the_key_is_a_file_its_pem_or_its_bytes(
    settings: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pem = application_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = tmp_path / "vapid.pem"
    file.write_bytes(pem)
    for value in (str(file), pem.decode(), scalar(), f"{scalar()}="):
        settings.setenv("WEBPUSH_PRIVATE_KEY", value)
        assert WebPushProvider.from_environment(Environment(files=())).name == "webpush"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEBPUSH_PRIVATE_KEY", ""),
        ("WEBPUSH_PRIVATE_KEY", "canary-secret"),
        ("WEBPUSH_PRIVATE_KEY", "canary-secret" * 200),
        ("WEBPUSH_SUBJECT", "canary-secret"),
        ("WEBPUSH_HOSTS", "https://canary-secret"),
        ("WEBPUSH_HOSTS", "*"),
    ],
)
def test_a_bad_setting_stops_the_start_by_name(
    settings: pytest.MonkeyPatch, name: str, value: str
) -> None:
    settings.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        WebPushProvider.from_environment(Environment(files=()))
    assert "canary-secret" not in str(caught.value)
