"""Push accounts are verified without a push to anybody: FCM, APNs and Web Push."""

from collections.abc import Callable, Iterator

import pytest

from carillon.errors import PermanentFailure, Reason
from carillon.testing.http2_double import HTTP2Double
from carillon.testing.http_double import HTTPDouble, HTTPRig, Reply, Request, says
from carillon.testing.patience import PATIENCE
from carillon.testing.verifying import (
    HTTPVerifyContract,
    VerifyContract,
    check_sentence,
    http_troubles,
    refused,
    trouble,
    verify,
)
from push_worker.apns_token import SigningKey
from push_worker.providers.apns import APNsProvider
from push_worker.providers.webpush import WebPushProvider
from push_worker.tests import apple, google
from push_worker.tests.browser import vapid_key
from push_worker.tests.test_fcm import FCMRig, token_says

# --- FCM


def validated(_request: Request) -> Reply:
    """https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send"""
    return Reply(200, {"name": f"projects/{google.PROJECT}/messages/fake_message_id"})


class TestFCMVerifies(VerifyContract):
    checks = (
        *http_troubles(),
        refused(
            "may not send", says(google.refusal(403, "PERMISSION_DENIED")), "PERMISSION_DENIED"
        ),
        refused("no such project", says(google.refusal(404, "NOT_FOUND"))),
        refused(
            "withdrawn key",
            token_says(Reply(400, {"error": "invalid_grant", "error_description": "no"})),
            "invalid_grant",
        ),
        trouble("Google in trouble", token_says(Reply(503))),
        trouble("a token in HTML", token_says(Reply(200, body=b"<html>"))),
        trouble("too many", says(google.refusal(429, "RESOURCE_EXHAUSTED")), Reason.RATE_LIMITED),
    )

    @pytest.fixture
    def rig(self) -> Iterator[FCMRig]:
        tokens = google.Google()
        with HTTPDouble(validated) as double, HTTPDouble(tokens.issue) as issuing:
            rig = FCMRig(double, issuing, tokens)
            yield rig
            rig.provider.close()

    def test_the_push_is_only_validated(self, rig: FCMRig) -> None:
        verify(rig)
        (request,) = rig.double.requests
        assert request.path == google.PATH
        assert request.json["validate_only"] is True
        assert "token" not in request.json["message"]


# --- APNs


class APNsVerifyRig(HTTPRig):
    channel = "push"

    def __init__(self, double: HTTP2Double) -> None:
        super().__init__(double)
        self.secrets = (apple.pem().splitlines()[1],)
        self.provider = APNsProvider(
            apple.signing_key(), apple.TOPIC, url=double.url, timeout=PATIENCE
        )


def apple_says(status: int, reason: str) -> Callable[[HTTPRig], None]:
    return says(apple.refusal(status, reason))


class TestAPNsVerifies(HTTPVerifyContract):
    # That Apple looks at the device at all shows that it has taken the key.
    accepts = apple.refusal(400, "BadDeviceToken")
    checks = (
        refused("wrong key", apple_says(403, "InvalidProviderToken"), "InvalidProviderToken"),
        refused("our clock", apple_says(403, "ExpiredProviderToken"), "ExpiredProviderToken"),
        refused("another's app", apple_says(400, "TopicDisallowed"), "TopicDisallowed"),
        refused("no such app", apple_says(400, "BadTopic"), "BadTopic"),
        refused("a reason of tomorrow", apple_says(400, "BadWeather"), "BadWeather"),
        trouble("in trouble", apple_says(500, "InternalServerError")),
        trouble(
            "too many tokens",
            apple_says(429, "TooManyProviderTokenUpdates"),
            Reason.RATE_LIMITED,
        ),
        trouble("takes it", says(Reply(200))),
    )

    @pytest.fixture
    def rig(self) -> Iterator[APNsVerifyRig]:
        with HTTP2Double(apple.Apple()) as double:
            rig = APNsVerifyRig(double)
            yield rig
            rig.provider.close()

    def test_the_push_is_for_no_device_and_shows_nothing(self, rig: APNsVerifyRig) -> None:
        self.lets_in(rig)
        verify(rig)
        (request,) = rig.double.requests
        assert request.path == "/3/device/" + "0" * 64
        assert request.headers["apns-topic"] == apple.TOPIC
        assert request.headers["apns-push-type"] == "background"
        assert request.json == {"aps": {"content-available": 1}}

    def test_a_server_that_checks_the_token_first_tells_keys_apart(self) -> None:
        checking = apple.Apple()
        checking.dead["0" * 64] = apple.refusal(400, "BadDeviceToken")
        others = SigningKey(apple.private_key(), apple.KEY_ID, "OTHERTEAM1")
        with HTTP2Double(checking) as double:
            rig = APNsVerifyRig(double)
            check_sentence(verify(rig))
            rig.provider.close()
            apns = APNsProvider(others, apple.TOPIC, url=double.url, timeout=PATIENCE)
            with pytest.raises(PermanentFailure) as caught:
                apns.verify()
            assert caught.value.code == "InvalidProviderToken"
            apns.close()


# --- Web Push


def test_a_vapid_key_signs_and_nobody_is_called() -> None:
    provider = WebPushProvider(vapid_key())
    check_sentence(provider.verify())
    provider.close()
