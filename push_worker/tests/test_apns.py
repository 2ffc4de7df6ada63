"""APNs: the contract over HTTP/2, each documented refusal, tokens, headers, the one connection."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import Address, DeliveryJob, PushContent, PushUrgency
from carillon.errors import PermanentFailure, Reason
from carillon.settings import Environment, SettingsError
from carillon.testing.http2_double import HTTP2Double, http2_cases
from carillon.testing.http_double import HTTPRig, Reply, Request, permanent, temporary
from carillon.testing.patience import PATIENCE
from carillon.testing.providers import ProviderContract, delivery_job
from push_worker.providers.apns import PERMANENT, APNsProvider
from push_worker.tests.apple import (
    KEY_ID,
    TEAM_ID,
    TOKEN,
    TOPIC,
    Apple,
    pem,
    refusal,
    signing_key,
)

# A private key, but of a curve that Apple does not take.
ED25519 = (
    Ed25519PrivateKey.generate()
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode()
)
_STATUS = {
    Reason.DEAD_TOKEN: 410,
    Reason.PAYLOAD_TOO_LARGE: 413,
    Reason.CONFIGURATION: 403,
}

CASES = (
    *http2_cases(),
    *(
        permanent(name, refusal(_STATUS.get(reason, 400), name), reason, name)
        for name, reason in PERMANENT.items()
    ),
    permanent("gone, without a reason", Reply(410), Reason.DEAD_TOKEN, "410"),
    permanent("refused, body unreadable", Reply(400, body=b"\xff{"), Reason.OTHER, "400"),
    permanent("a reason of tomorrow", refusal(400, "BadWeather"), Reason.OTHER, "BadWeather"),
    permanent("forbidden, without a reason", Reply(403), Reason.CONFIGURATION, "403"),
    temporary(
        "too many to this device",
        refusal(429, "TooManyRequests", "20"),
        Reason.OTHER,
        "TooManyRequests",
        20.0,
    ),
    temporary(
        "too many tokens",
        refusal(429, "TooManyProviderTokenUpdates"),
        Reason.RATE_LIMITED,
        "TooManyProviderTokenUpdates",
    ),
    temporary("slow down", Reply(429, headers={"Retry-After": "7"}), Reason.RATE_LIMITED, "429", 7),
    temporary(
        "in trouble",
        refusal(500, "InternalServerError"),
        Reason.PROVIDER_UNAVAILABLE,
        "InternalServerError",
    ),
    temporary(
        "back in a minute",
        refusal(503, "ServiceUnavailable", "60"),
        Reason.PROVIDER_UNAVAILABLE,
        "ServiceUnavailable",
        60.0,
    ),
    temporary("shutting down", refusal(503, "Shutdown"), Reason.PROVIDER_UNAVAILABLE, "Shutdown"),
    temporary("bad gateway", Reply(502, body=b"<html>"), Reason.PROVIDER_UNAVAILABLE, "502"),
)


def apns_job(token: str = TOKEN, **changes: object) -> DeliveryJob:
    return delivery_job("push", addresses=(Address(token, "apns", "device_1"),), **changes)


class APNsRig(HTTPRig):
    channel = "push"
    address = Address(TOKEN, "apns", "device_1")

    def __init__(self, double: HTTP2Double, apple: Apple) -> None:
        super().__init__(double)
        self.server = double
        self.apple = apple
        self.now = datetime.now(UTC).timestamp()
        self.secrets = (pem().splitlines()[1], TOKEN)
        self.provider = APNsProvider(
            signing_key(), TOPIC, url=double.url, timeout=PATIENCE, clock=lambda: self.now
        )


@pytest.fixture
def rig() -> Iterator[APNsRig]:
    apple = Apple()
    with HTTP2Double(apple) as double:
        rig = APNsRig(double, apple)
        yield rig
        rig.provider.close()


class TestAPNsContract(ProviderContract):
    cases = CASES


def test_the_request_is_what_apple_documents(rig: APNsRig) -> None:
    rig.now = float(int(rig.now))
    push = PushContent(
        "Title",
        "Body",
        image="https://example.com/a.png",
        data={"order": "7", "aps": "never ours to give away"},
        action_url="https://example.com/orders/7",
        badge=3,
        collapse_key="orders",
        ttl=600,
    )
    acceptance = rig.provider.send(apns_job(content=push, lane=Lane.HIGH))
    (request,) = rig.double.requests
    assert (request.method, request.path) == ("POST", f"/3/device/{TOKEN}")
    assert request.json == {
        "image": "https://example.com/a.png",
        "action_url": "https://example.com/orders/7",
        "order": "7",
        "aps": {
            "alert": {"title": "Title", "body": "Body"},
            "badge": 3,
            "mutable-content": 1,
        },
    }
    headers = {name: value for name, value in request.headers.items() if name.startswith("apns-")}
    assert headers == {
        "apns-id": acceptance.provider_message_id,
        "apns-topic": TOPIC,
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-collapse-id": "orders",
        "apns-expiration": str(int(rig.now) + 600),
    }


def test_a_bare_push_waits_for_the_device_and_replaces_its_own_repeat(rig: APNsRig) -> None:
    job = apns_job(content=PushContent("Title"))
    assert rig.provider.send(job) == rig.provider.send(job)
    first, second = rig.double.requests
    assert first.headers["apns-priority"] == "5"
    assert "apns-expiration" not in first.headers
    assert first.headers["apns-collapse-id"] == job.notification_id
    assert first.headers["apns-id"] == second.headers["apns-id"]


@pytest.mark.parametrize(
    ("ttl", "left", "expected"),
    [(None, 60, 60), (30, 60, 30), (90, 60, 60), (0, None, None), (None, -5, None)],
)
def test_the_shorter_of_ttl_and_expiry_holds_and_none_is_now_or_never(
    rig: APNsRig, ttl: int | None, left: int | None, expected: int | None
) -> None:
    rig.now = float(int(rig.now))
    now = datetime.fromtimestamp(rig.now, UTC)
    expires_at = None if left is None else now + timedelta(seconds=left)
    rig.provider.send(apns_job(content=PushContent("T", ttl=ttl), expires_at=expires_at))
    said = rig.double.requests[0].headers["apns-expiration"]
    assert said == ("0" if expected is None else str(int(rig.now) + expected))


@pytest.mark.parametrize(
    ("lane", "priority", "expected"),
    [
        (Lane.HIGH, None, "10"),
        (Lane.BULK, None, "5"),
        (Lane.BULK, PushUrgency.HIGH, "10"),
        (Lane.HIGH, PushUrgency.NORMAL, "5"),
    ],
)
def test_the_pushs_own_priority_goes_before_the_lanes(
    rig: APNsRig, lane: Lane, priority: PushUrgency | None, expected: str
) -> None:
    rig.provider.send(apns_job(content=PushContent("T", priority=priority), lane=lane))
    assert rig.double.requests[0].headers["apns-priority"] == expected


def test_a_collapse_key_that_is_no_header_is_digested(rig: APNsRig) -> None:
    for key in ("k" * 65, "clé\r\napns-topic: evil"):
        rig.provider.send(apns_job(content=PushContent("T", collapse_key=key)))
    assert all(len(request.headers["apns-collapse-id"]) == 64 for request in rig.double.requests)


def test_what_is_no_token_is_dead_and_never_part_of_a_path(rig: APNsRig) -> None:
    for token in ("../../x", "a b", ""):
        with pytest.raises(PermanentFailure) as caught:
            rig.provider.send(apns_job(token))
        assert caught.value.reason is Reason.DEAD_TOKEN
    assert rig.double.requests == []


def test_one_token_serves_for_fifty_minutes(rig: APNsRig) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(rig.provider.send, [apns_job() for _ in range(40)]))
    assert len(set(rig.apple.tokens)) == 1
    rig.now += 3001
    rig.provider.send(apns_job())
    assert len(set(rig.apple.tokens)) == 2


def test_an_expired_token_is_signed_again_once(rig: APNsRig) -> None:
    rig.provider.send(apns_job())
    rig.now += 5
    rig.apple.not_before = rig.now - 1
    rig.provider.send(apns_job())
    assert rig.accepted == 2
    assert len(set(rig.apple.tokens)) == 2


def test_a_wrong_clock_makes_no_flood_of_tokens(rig: APNsRig) -> None:
    rig.apple.not_before = rig.now + 7200
    for _ in range(5):
        rig.now += 1
        with pytest.raises(PermanentFailure) as caught:
            rig.provider.send(apns_job())
        assert caught.value.reason is Reason.CONFIGURATION
    assert len(set(rig.apple.tokens)) == 2


def test_threads_share_one_connection_each_on_a_stream_of_its_own() -> None:
    gate = threading.Barrier(8, timeout=60)
    apple = Apple()

    def together(request: Request) -> Reply:
        gate.wait()
        return apple(request)

    with HTTP2Double(together) as double:
        rig = APNsRig(double, apple)
        provider = APNsProvider(signing_key(), TOPIC, url=double.url, timeout=60)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(provider.send, [apns_job() for _ in range(32)]))
        provider.close()
        rig.provider.close()
        assert (double.connected, double.most_at_once, double.took) == (1, 8, 32)


def test_no_more_streams_are_opened_than_apple_allows() -> None:
    apple = Apple()
    with HTTP2Double(apple, streams=2) as double:
        provider = APNsProvider(signing_key(), TOPIC, url=double.url, timeout=60)
        provider.send(apns_job())
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(provider.send, [apns_job() for _ in range(40)]))
        provider.close()
        assert double.took == 41
        assert double.connected == 1
        assert double.most_at_once <= 2


@pytest.mark.parametrize("end", ["drop", "say_goodbye"])
def test_a_connection_that_ended_in_between_costs_nothing(rig: APNsRig, end: str) -> None:
    for count in range(1, 4):
        rig.provider.send(apns_job())
        assert rig.accepted == count
        getattr(rig.server, end)()
    assert rig.server.connected == 3


def test_nobody_listening_is_temporary(rig: APNsRig) -> None:
    provider = APNsProvider(signing_key(), TOPIC, url="http://127.0.0.1:1", timeout=PATIENCE)
    with pytest.raises(Exception, match="No connection") as caught:
        provider.send(apns_job())
    assert getattr(caught.value, "reason", None) is Reason.PROVIDER_UNAVAILABLE
    provider.close()


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in {
        "APNS_KEY": pem(),
        "APNS_KEY_ID": KEY_ID,
        "APNS_TEAM_ID": TEAM_ID,
        "APNS_TOPIC": TOPIC,
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_the_key_is_a_file_or_its_pem(settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "AuthKey.p8"
    file.write_text(pem())
    for value in (str(file), pem()):
        settings.setenv("APNS_KEY", value)
        assert APNsProvider.from_environment(Environment(files=())).name == "apns"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APNS_KEY", "/nowhere/canary-secret.p8"),
        ("APNS_KEY", ED25519.splitlines()[0] + "\ncanary-secret\n"),
        ("APNS_KEY", ED25519),
        ("APNS_KEY_ID", "canary-secret"),
        ("APNS_TEAM_ID", ""),
        ("APNS_TOPIC", "canary secret"),
        ("APNS_URL", "http://api.push.apple.com"),
    ],
)
def test_a_bad_setting_stops_the_start_by_name(
    settings: pytest.MonkeyPatch, name: str, value: str
) -> None:
    settings.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        APNsProvider.from_environment(Environment(files=()))
    assert "canary-secret" not in str(caught.value)
