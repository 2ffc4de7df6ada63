"""Who may report: the providers' own vectors, and everybody else is refused."""

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from gateway.callbacks.config import sendgrid_key
from gateway.callbacks.errors import CannotVerify, Unverified
from gateway.callbacks.models import CallbackEvent
from gateway.callbacks.providers.sendgrid import SendGridCallbacks
from gateway.callbacks.providers.sns import FETCHES_MOST, SNSVerifier, is_amazons
from gateway.callbacks.providers.twilio import TwilioCallbacks
from gateway.callbacks.requests import Callback
from gateway.tests.callbacks import signing
from gateway.tests.callbacks.conftest import Amazon, Send
from gateway.tests.callbacks.signing import (
    CERTIFICATE_URL,
    SETTINGS,
    SIGNERS,
    TOPIC,
    certificate,
)

NOW = datetime.now(UTC)
# sendgrid-python 6, test/unit/test_eventwebhook.py.
VECTOR_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpV"
    "KS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
)
VECTOR_SIGNATURE = (
    "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG"
    "+luQAbPIqHh89M15TluLtEZtM="
)
VECTOR_BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address","sg_event_id":'
    b'"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA","sg_message_id":'
    b'"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0","smtp-id":'
    b'"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)


def test_sendgrids_own_vector() -> None:
    key = sendgrid_key(VECTOR_KEY)
    assert key is not None
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": VECTOR_SIGNATURE,
        "X-Twilio-Email-Event-Webhook-Timestamp": "1600112502",
    }
    at = datetime.fromtimestamp(1600112503, UTC)
    said = Callback("", headers, VECTOR_BODY, at)
    provider = SendGridCallbacks(key, 60)
    provider.verify(said)
    for forged in (
        replace(said, body=VECTOR_BODY[:-2]),
        replace(said, headers={**headers, "X-Twilio-Email-Event-Webhook-Timestamp": "1600112503"}),
        replace(said, headers={}),
        replace(said, received_at=at + timedelta(seconds=60)),
        replace(said, received_at=at - timedelta(seconds=302)),
    ):
        with pytest.raises(Unverified):
            provider.verify(forged)


def test_twilios_own_vector() -> None:
    # twilio-python, tests/unit/test_request_validator.py.
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
        "Caller": "+14158675309",
    }
    said = Callback(
        "https://mycompany.com/myapp.php?foo=1&bar=2",
        {"X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
        urlencode(form).encode(),
        NOW,
    )
    provider = TwilioCallbacks("12345")
    provider.verify(said)
    provider.verify(replace(said, url="https://mycompany.com:443/myapp.php?foo=1&bar=2"))
    for forged in (
        replace(said, url="https://mycompany.com/myapp.php?foo=1&bar=3"),
        replace(said, url="http://mycompany.com/myapp.php?foo=1&bar=2"),
        replace(said, body=urlencode({**form, "Digits": "1235"}).encode()),
        replace(said, body=b"\xff&&&"),
        replace(said, headers={}),
        replace(said, headers={"X-Twilio-Signature": "é"}),
    ):
        with pytest.raises(Unverified):
            provider.verify(forged)
    with pytest.raises(Unverified):
        TwilioCallbacks("12346").verify(said)


# A secret of ours proves them, and nothing covers their body.
UNSIGNED = {"postmark", "brevo", "mailjet", "sparkpost"}


@pytest.mark.integration
@pytest.mark.django_db
@pytest.mark.parametrize("name", SIGNERS)
def test_a_true_signature_is_taken_and_no_other(name: str, send: Send) -> None:
    signed = SIGNERS[name]()
    headers: list[dict[str, Any]] = [
        {"headers": {}},
        {"headers": dict.fromkeys(signed.headers, "")},
        {"headers": dict.fromkeys(signed.headers, "é")},
        {"headers": {key: f"{value[:-4]}AAAA" for key, value in signed.headers.items()}},
    ]
    bodies: list[dict[str, Any]] = [
        {"body": signed.body.replace(b"1", b"2")},
        {"body": b""},
        {"body": b"[]"},
        {"body": b"\xff\xfe"},
    ]
    if name.startswith("msg91"):
        forgeries = [{"path": f"/callbacks/{name}/"}, {"path": signed.path[:-2] + "/"}]
    elif name in UNSIGNED:
        forgeries = headers
    elif name in {"ses", "mailgun"}:
        # Their headers are not part of the signature.
        forgeries = bodies
    else:
        forgeries = headers + bodies
    for forged in forgeries:
        assert send(signed, **forged) == 403, forged
    assert CallbackEvent.objects.count() == 0
    assert send(signed) == 200
    assert CallbackEvent.objects.get().provider == name


@pytest.mark.integration
@pytest.mark.django_db
def test_a_secret_of_msg91_may_stand_in_a_header(send: Send) -> None:
    signed = SIGNERS["msg91"]()
    path = "/callbacks/msg91/"
    headers = {"X-Callback-Secret": SETTINGS.msg91_secret}
    assert send(signed, path=path, headers=headers) == 200
    assert send(signed, path=path, headers={"X-Callback-Secret": "x" * 32}) == 403


@pytest.mark.integration
@pytest.mark.django_db
def test_an_old_signature_is_refused(send: Send) -> None:
    old = NOW - timedelta(seconds=SETTINGS.replay_seconds + 1)
    assert send(signing.sendgrid({"event": "delivered", "sg_message_id": "1"}, at=old)) == 403
    stamp = old.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert send(signing.sns({}, Timestamp=stamp)) == 403


@pytest.mark.integration
@pytest.mark.django_db
def test_only_our_topics_with_amazons_certificate(send: Send, amazon: Amazon) -> None:
    said = {"eventType": "Delivery", "mail": {"messageId": "1"}}
    evil = CERTIFICATE_URL.replace("sns.eu-west-1.amazonaws.com", "sns.example.com")
    amazon.answers[evil] = certificate()
    for fields in (
        {"TopicArn": TOPIC.replace("ses-events", "somebodys")},
        {"SigningCertURL": evil},
        {"SigningCertURL": CERTIFICATE_URL.replace("https", "http")},
        {"SigningCertURL": CERTIFICATE_URL.replace("eu-west-1", "us-east-1")},
        {"SigningCertURL": CERTIFICATE_URL.replace("Simple", "../Simple")},
        {"SignatureVersion": "3"},
        {"Type": "Other"},
    ):
        assert send(signing.sns(said, **fields)) == 403, fields
    assert amazon.asked == []
    assert send(signing.sns(said, SignatureVersion="2")) == 200
    assert send(signing.sns(said)) == 200
    assert amazon.asked == [CERTIFICATE_URL]
    assert CallbackEvent.objects.count() == 1


@pytest.mark.integration
@pytest.mark.django_db
@pytest.mark.parametrize("days", [1, -1])
def test_an_expired_certificate_signs_nothing(send: Send, amazon: Amazon, days: int) -> None:
    if days < 0:
        amazon.error = CannotVerify("away")
    else:
        amazon.answers[CERTIFICATE_URL] = certificate(days)
    # Amazon tries again where it was we who could not tell.
    assert send(SIGNERS["ses"]()) == (403 if days > 0 else 503)


def test_a_subscription_is_confirmed_at_amazons_alone(send: Send, amazon: Amazon) -> None:
    url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336"
    offer = {"Type": "SubscriptionConfirmation", "Token": "2336", "SubscribeURL": url}
    assert send(signing.sns({}, **offer)) == 200
    assert amazon.asked == [CERTIFICATE_URL, url]
    assert send(signing.sns({}, **{**offer, "SubscribeURL": "https://example.com/"})) == 403
    assert amazon.asked == [CERTIFICATE_URL, url]
    amazon.error = CannotVerify("away")
    assert send(signing.sns({}, **offer)) == 503


def test_what_is_not_verified_makes_us_call_out_at_a_bounded_rate() -> None:
    amazon, clock = Amazon(), [0.0]
    verifier = SNSVerifier(amazon.fetch, lambda: clock[0])
    message = {
        "Type": "Notification",
        "SignatureVersion": "1",
        "TopicArn": TOPIC,
        "Timestamp": NOW.isoformat(),
        "Signature": b64encode(b"x" * 256).decode(),
    }
    for number in range(3 * FETCHES_MOST):
        url = CERTIFICATE_URL.replace("0123456789abcdef", f"{number:016x}")
        with pytest.raises((CannotVerify, Unverified)):
            verifier.verify({**message, "SigningCertURL": url}, NOW)
    assert len(amazon.asked) == FETCHES_MOST
    # Who has a topic of their own keeps nobody else's certificate away.
    other = {**message, "TopicArn": TOPIC.replace("ses-events", "other")}
    with pytest.raises(Unverified, match="signature"):
        verifier.verify({**other, "SigningCertURL": CERTIFICATE_URL}, NOW)
    assert len(amazon.asked) == FETCHES_MOST + 1
    clock[0] = 61.0
    with pytest.raises(Unverified):
        verifier.verify({**message, "SigningCertURL": CERTIFICATE_URL}, NOW)


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("https://sns.eu-west-1.amazonaws.com/a.pem", True),
        ("https://sns.eu-west-1.amazonaws.com:443/a.pem", True),
        ("https://sns.eu-west-1.amazonaws.com:8443/a.pem", False),
        ("https://sns.eu-west-1.amazonaws.com.example.org/a.pem", False),
        ("https://sns.eu-west-1.amazonaws.com@example.org/a.pem", False),
        ("https://x@sns.eu-west-1.amazonaws.com/a.pem", False),
        ("https://example.org/sns.eu-west-1.amazonaws.com/a.pem", False),
        ("https://sns.eu-west-1.amazonaws.com.cn/a.pem", False),
        ("https://s3.eu-west-1.amazonaws.com/a.pem", False),
        ("file:///etc/passwd", False),
        ("https://[::1/", False),
        ("", False),
    ],
)
def test_amazons_addresses(url: str, ours: bool) -> None:
    assert is_amazons(url, TOPIC) is ours


def test_china_is_a_partition_of_its_own() -> None:
    topic = "arn:aws-cn:sns:cn-north-1:123456789012:ses"
    assert is_amazons("https://sns.cn-north-1.amazonaws.com.cn/a.pem", topic)


@pytest.mark.parametrize(
    ("query", "status", "body"),
    [
        ({"hub.verify_token": SETTINGS.meta_verify_token}, 200, b"1158201444"),
        ({"hub.verify_token": "wrong"}, 403, b""),
        ({"hub.verify_token": ""}, 403, b""),
        ({"hub.verify_token": "é"}, 403, b""),
        ({"hub.verify_token": SETTINGS.meta_verify_token, "hub.mode": "x"}, 403, b""),
    ],
)
def test_metas_challenge(send: Send, query: dict[str, str], status: int, body: bytes) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", **query}
    response = Client().get("/callbacks/meta/", asked)
    assert (response.status_code, response.content) == (status, body)
    assert response.headers["Content-Type"].startswith("text/plain") or status == 403
