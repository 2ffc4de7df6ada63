"""FCM: the contract, each documented refusal, and access tokens."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import PushContent, PushUrgency
from carillon.errors import PermanentFailure, Reason, TemporaryFailure
from carillon.settings import Environment, SettingsError
from carillon.testing.http_double import (
    HTTPDouble,
    HTTPRig,
    Raw,
    Reply,
    is_silent,
    permanent,
    temporary,
    transport_cases,
    unreadable_successes,
)
from carillon.testing.patience import HASTE, PATIENCE, wait_at_most
from carillon.testing.providers import Case, ProviderContract, delivery_job
from push_worker.providers.fcm import FCMProvider
from push_worker.tests.google import PATH, Google, account, key_file, pem, refusal

UNREGISTERED = refusal(404, "NOT_FOUND", "UNREGISTERED")


class FCMRig(HTTPRig):
    channel = "push"

    def __init__(self, double: HTTPDouble, tokens: HTTPDouble, google: Google) -> None:
        super().__init__(double)
        self.tokens = tokens
        self.google = google
        # The double holds the assertion's times against the machine's clock.
        self.now = datetime.now(UTC).timestamp()
        self.secrets = ("canary-access-token", pem().splitlines()[3])
        self.fcm = FCMProvider(
            account(tokens.url), url=double.url, timeout=PATIENCE, clock=lambda: self.now
        )
        self.provider = self.fcm

    def accept(self) -> None:
        super().accept()
        self.gives_tokens(None)

    def gives_tokens(self, reply: Reply | Raw | None) -> None:
        """As `answers`, of the server that gives tokens."""
        self.tokens.says = reply
        wait_at_most(self.fcm._token, HASTE if is_silent(reply) else PATIENCE)

    @property
    def connections(self) -> int:
        return self.double.open + self.tokens.open


@pytest.fixture
def rig() -> Iterator[FCMRig]:
    google = Google()
    with HTTPDouble(google.deliver) as double, HTTPDouble(google.issue) as tokens:
        rig = FCMRig(double, tokens, google)
        yield rig
        rig.provider.close()


def token_says(reply: Reply | Raw) -> Callable[[FCMRig], None]:
    def arrange(rig: FCMRig) -> None:
        rig.gives_tokens(reply)

    return arrange


def no_token(name: str, reply: Reply | Raw, code: str | None = None) -> Case:
    return Case(name, token_says(reply), TemporaryFailure, Reason.PROVIDER_UNAVAILABLE, code)


def refused_account(name: str, reply: Reply, code: str) -> Case:
    return Case(name, token_says(reply), PermanentFailure, Reason.CONFIGURATION, code)


# https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
REFUSALS = (
    permanent("unregistered", UNREGISTERED, Reason.DEAD_TOKEN, "UNREGISTERED"),
    permanent(
        "malformed token",
        refusal(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", field="message.token"),
        Reason.DEAD_TOKEN,
        "INVALID_ARGUMENT",
    ),
    permanent(
        "malformed token, by text",
        refusal(
            400,
            "INVALID_ARGUMENT",
            "INVALID_ARGUMENT",
            message="The registration token is not a valid FCM registration token",
        ),
        Reason.DEAD_TOKEN,
    ),
    permanent(
        "bad content",
        refusal(400, "INVALID_ARGUMENT", field="message.data[0].value"),
        Reason.INVALID_CONTENT,
        "INVALID_ARGUMENT",
    ),
    permanent(
        "more than 4 KB",
        refusal(400, "INVALID_ARGUMENT", message="Android message is too big"),
        Reason.PAYLOAD_TOO_LARGE,
    ),
    permanent(
        "another project's token",
        refusal(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
        Reason.INVALID_ADDRESS,
        "SENDER_ID_MISMATCH",
    ),
    permanent(
        "no right to send",
        refusal(403, "PERMISSION_DENIED"),
        Reason.CONFIGURATION,
        "PERMISSION_DENIED",
    ),
    permanent(
        "no APNs key",
        refusal(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
        Reason.CONFIGURATION,
        "THIRD_PARTY_AUTH_ERROR",
    ),
    permanent("no such project", refusal(404, "NOT_FOUND"), Reason.CONFIGURATION, "NOT_FOUND"),
    permanent(
        "every token is refused",
        refusal(401, "UNAUTHENTICATED"),
        Reason.CONFIGURATION,
        "UNAUTHENTICATED",
    ),
    temporary(
        "quota",
        refusal(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", wait="60"),
        Reason.RATE_LIMITED,
        "QUOTA_EXCEEDED",
        60.0,
    ),
    temporary(
        "unavailable",
        refusal(503, "UNAVAILABLE", "UNAVAILABLE", wait="5"),
        Reason.PROVIDER_UNAVAILABLE,
        "UNAVAILABLE",
        5.0,
    ),
    temporary(
        "internal", refusal(500, "INTERNAL", "INTERNAL"), Reason.PROVIDER_UNAVAILABLE, "INTERNAL"
    ),
    permanent(
        "an error of odd shape", Reply(400, {"error": {"details": "?", "status": 7}}), Reason.OTHER
    ),
)
TOKEN_CASES = (
    no_token("no token: silence", Raw(then_silence=True)),
    no_token("no token: hangs up", Raw()),
    no_token("no token: in trouble", Reply(503), "503"),
    no_token("no token: gateway", Reply(504), "504"),
    no_token("no token: nonsense", Reply(200, {"access_token": 7, "expires_in": 3599})),
    no_token("no token: a header in it", Reply(200, {"access_token": "a\r\nb", "expires_in": 9})),
    no_token("no token: no end", Reply(200, {"access_token": "canary-access-token"})),
    refused_account(
        "no token: revoked key",
        Reply(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}),
        "invalid_grant",
    ),
    refused_account("no token: no such account", Reply(400, {"error": "odd"}), "odd"),
    refused_account("no token: nothing there", Reply(404), "404"),
)


class TestFCMContract(ProviderContract):
    cases = (*transport_cases(), *unreadable_successes(), *REFUSALS, *TOKEN_CASES)


def test_the_message_is_what_fcm_documents(rig: FCMRig) -> None:
    content = PushContent(
        "Title",
        "Body",
        image="https://example.com/a.png",
        data={"order": "7"},
        action_url="https://example.com/orders/7",
        badge=3,
    )
    expires_at = datetime.fromtimestamp(int(rig.now), UTC) + timedelta(minutes=10)
    rig.now = float(int(rig.now))
    job = delivery_job("push", content=content, lane=Lane.HIGH, expires_at=expires_at)
    acceptance = rig.provider.send(job)
    (request,) = rig.double.requests
    assert request.path == PATH
    assert request.json == {
        "message": {
            "token": "canary-device-token-4f1d",
            "notification": {
                "title": "Title",
                "body": "Body",
                "image": "https://example.com/a.png",
            },
            "data": {"action_url": "https://example.com/orders/7", "order": "7"},
            "android": {
                "priority": "HIGH",
                "ttl": "600s",
                "notification": {"notification_count": 3},
            },
            "apns": {
                "headers": {
                    "apns-priority": "10",
                    "apns-expiration": str(int(rig.now) + 600),
                },
                "payload": {"aps": {"badge": 3, "mutable-content": 1}},
                "fcm_options": {"image": "https://example.com/a.png"},
            },
            "webpush": {
                "headers": {"Urgency": "high", "TTL": "600"},
                "fcm_options": {"link": "https://example.com/orders/7"},
            },
        }
    }
    assert acceptance.provider_message_id.startswith("projects/carillon-test/messages/")


def test_a_bare_push_asks_for_nothing_special(rig: FCMRig) -> None:
    content = PushContent("Title", action_url="myapp://orders/7")
    rig.provider.send(delivery_job("push", content=content))
    assert rig.double.requests[0].json["message"] == {
        "token": "canary-device-token-4f1d",
        "notification": {"title": "Title"},
        "data": {"action_url": "myapp://orders/7"},
        "android": {"priority": "NORMAL"},
        "apns": {"headers": {"apns-priority": "5"}, "payload": {"aps": {}}},
        "webpush": {"headers": {"Urgency": "normal"}},
    }


@pytest.mark.parametrize(
    ("left", "ttl"), [(timedelta(seconds=-5), "0s"), (timedelta(99), "2419200s")]
)
def test_fcm_keeps_a_message_no_longer_than_it_may(rig: FCMRig, left: timedelta, ttl: str) -> None:
    expires_at = datetime.fromtimestamp(rig.now, UTC) + left
    rig.provider.send(delivery_job("push", expires_at=expires_at))
    assert rig.double.requests[0].json["message"]["android"]["ttl"] == ttl


def test_one_token_serves_until_shortly_before_its_end(rig: FCMRig) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(rig.provider.send, [delivery_job("push") for _ in range(40)]))
    assert len(rig.tokens.requests) == 1
    rig.now += 3298
    rig.provider.send(delivery_job("push"))
    assert len(rig.tokens.requests) == 1
    rig.now += 2
    rig.provider.send(delivery_job("push"))
    assert len(rig.tokens.requests) == 2


def test_a_token_that_was_withdrawn_early_is_renewed_at_once(rig: FCMRig) -> None:
    rig.provider.send(delivery_job("push"))
    rig.google.token = "withdrawn"
    rig.provider.send(delivery_job("push"))
    assert rig.accepted == 2
    assert len(rig.tokens.requests) == 2


def test_collapse_key_ttl_and_priority_reach_every_platform(rig: FCMRig) -> None:
    rig.now = float(int(rig.now))
    push = PushContent("T", collapse_key="orders of today", ttl=60, priority=PushUrgency.HIGH)
    rig.provider.send(delivery_job("push", content=push, lane=Lane.BULK))
    message = rig.double.requests[0].json["message"]
    assert message["android"] == {
        "priority": "HIGH",
        "collapse_key": "orders of today",
        "ttl": "60s",
    }
    digest = hashlib.sha256(b"orders of today")
    assert message["apns"]["headers"] == {
        "apns-priority": "10",
        "apns-expiration": str(int(rig.now) + 60),
        "apns-collapse-id": digest.hexdigest(),
    }
    topic = base64.urlsafe_b64encode(digest.digest()[:24]).decode()
    assert message["webpush"]["headers"] == {"Urgency": "high", "TTL": "60", "Topic": topic}


def test_the_account_is_a_file_or_its_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text(key_file())
    for value in (str(file), key_file()):
        monkeypatch.setenv("FCM_SERVICE_ACCOUNT", value)
        assert FCMProvider.from_environment(Environment(files=())).name == "fcm"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "/nowhere/account.json",
        "{canary-secret",
        '{"project_id": "canary-secret"}',
        key_file(private_key="canary-secret"),
        key_file(token_uri="http://oauth2.example.com/canary-secret"),
        key_file(
            private_key="-----BEGIN PRIVATE KEY-----\n"
            "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
            "-----END PRIVATE KEY-----\n"
        ),
    ],
)
def test_a_bad_account_stops_the_start_by_name(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FCM_SERVICE_ACCOUNT", value)
    with pytest.raises(SettingsError, match="FCM_SERVICE_ACCOUNT") as caught:
        FCMProvider.from_environment(Environment(files=()))
    assert "canary-secret" not in str(caught.value)
    assert pem().splitlines()[3] not in str(caught.value)
