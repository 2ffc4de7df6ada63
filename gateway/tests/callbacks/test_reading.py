"""What each provider's reports mean, with the bodies of their documentation."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from carillon.contracts.suppressions import SuppressionReason
from carillon.errors import Reason
from gateway.callbacks import registry
from gateway.callbacks.errors import Unreadable
from gateway.callbacks.events import Kind, ProviderEvent
from gateway.callbacks.requests import Callback
from gateway.tests.callbacks import signing
from gateway.tests.callbacks.conftest import Amazon
from gateway.tests.callbacks.signing import SETTINGS, Signed

HARD = SuppressionReason.HARD_BOUNCE
COMPLAINT = SuppressionReason.COMPLAINT
LEFT = SuppressionReason.UNSUBSCRIBE

pytestmark = pytest.mark.usefixtures("amazon")


def read(name: str, signed: Signed) -> list[ProviderEvent]:
    headers = {**signed.headers, "Content-Type": signed.content_type}
    said = Callback("", headers, signed.body, datetime.now(UTC))
    return list(registry.callback_providers(SETTINGS)[name].read(said))


def brief(
    events: list[ProviderEvent],
) -> list[tuple[Kind, Reason | None, SuppressionReason | None]]:
    return [(each.kind, each.reason, each.suppress) for each in events]


SENDGRID = [
    ({"event": "processed"}, None),
    ({"event": "delivered", "response": "250 OK"}, (Kind.DELIVERED, None, None)),
    ({"event": "deferred", "attempt": "5"}, (Kind.DEFERRED, None, None)),
    (
        {"event": "bounce", "status": "5.0.0", "type": "bounce", "reason": "500 unknown recipient"},
        (Kind.BOUNCED, Reason.BOUNCED, HARD),
    ),
    ({"event": "bounce", "status": "550"}, (Kind.BOUNCED, Reason.BOUNCED, HARD)),
    ({"event": "bounce", "type": "blocked"}, (Kind.BOUNCED, Reason.BLOCKED, None)),
    ({"event": "bounce", "status": "5.2.2"}, (Kind.BOUNCED, Reason.OTHER, None)),
    ({"event": "bounce", "status": "4.4.2"}, (Kind.BOUNCED, Reason.OTHER, None)),
    (
        {"event": "dropped", "reason": "Bounced Address"},
        (Kind.REJECTED, Reason.BOUNCED, HARD),
    ),
    (
        {"event": "dropped", "reason": "Unsubscribed Address"},
        (Kind.REJECTED, Reason.UNSUBSCRIBED, LEFT),
    ),
    (
        {"event": "dropped", "reason": "Spam Reporting Address"},
        (Kind.REJECTED, Reason.SPAM, COMPLAINT),
    ),
    ({"event": "dropped", "reason": "Something new"}, (Kind.REJECTED, Reason.OTHER, None)),
    ({"event": "open", "useragent": "Mozilla"}, (Kind.OPENED, None, None)),
    ({"event": "open", "sg_machine_open": True}, None),
    ({"event": "click", "url": "http://www.sendgrid.com/"}, (Kind.CLICKED, None, None)),
    ({"event": "spamreport"}, (Kind.COMPLAINED, None, COMPLAINT)),
    ({"event": "unsubscribe"}, (Kind.UNSUBSCRIBED, None, LEFT)),
    ({"event": "group_unsubscribe", "asm_group_id": 10}, (Kind.UNSUBSCRIBED, None, LEFT)),
    ({"event": "group_resubscribe"}, None),
    ({"event": 7}, None),
    ({"event": "open", "sg_message_id": ""}, None),
    ({"event": "open", "sg_message_id": ["x"]}, None),
]


@pytest.mark.parametrize(("event", "expected"), SENDGRID)
def test_sendgrid(event: dict[str, Any], expected: tuple[object, ...] | None) -> None:
    common = {
        "email": "example@test.com",
        "timestamp": 1513299569,
        "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
    }
    events = read("sendgrid", signing.sendgrid({**common, **event}))
    assert brief(events) == ([expected] if expected else [])
    for each in events:
        assert each.provider_message_id == "14c5d75ce93.dfd.64b469"
        assert each.occurred_at == datetime.fromtimestamp(1513299569, UTC)


@pytest.mark.parametrize(
    ("said", "message_id"),
    [
        ("evEK_IhZSlKus235aGfxIQ.filter0361p1las1-11880-5978131E-23.0", "evEK_IhZSlKus235aGfxIQ"),
        ("yW5utel5TYuIBREiXJi7aA.recvd-5f9ffdf494-9kc6l-1-673C-B.0", "yW5utel5TYuIBREiXJi7aA"),
        ("yW5utel5TYuIBREiXJi7aA", "yW5utel5TYuIBREiXJi7aA"),
    ],
)
def test_sendgrids_ids_begin_with_what_it_answered(said: str, message_id: str) -> None:
    (event,) = read("sendgrid", signing.sendgrid({"event": "open", "sg_message_id": said}))
    assert event.provider_message_id == message_id


def test_one_odd_event_does_not_cost_the_others() -> None:
    good = {"event": "delivered", "sg_message_id": "a", "timestamp": "tomorrow"}
    signed = signing.sendgrid(good)
    body = b"[null, 7, [], {}, %b, %b]" % (json.dumps(good).encode(), b'{"event":{"a":1}}')
    (event,) = read("sendgrid", Signed(signed.path, body, signed.headers))
    assert event.occurred_at is None


SES: list[tuple[dict[str, Any], Any]] = [
    ({"eventType": "Send", "send": {}}, None),
    (
        {"eventType": "Delivery", "delivery": {"timestamp": "2016-10-19T23:21:04.133Z"}},
        (Kind.DELIVERED, None, None),
    ),
    # The notification of an identity says the same with another word.
    ({"notificationType": "Delivery", "delivery": {}}, (Kind.DELIVERED, None, None)),
    (
        {
            "eventType": "Bounce",
            "bounce": {
                "bounceType": "Permanent",
                "bounceSubType": "General",
                "bouncedRecipients": [{"diagnosticCode": "smtp; 550 5.1.1 user unknown"}],
                "feedbackId": "01000157c44f053b-61b59c11",
            },
        },
        (Kind.BOUNCED, Reason.BOUNCED, HARD),
    ),
    (
        {"eventType": "Bounce", "bounce": {"bounceType": "Transient"}},
        (Kind.BOUNCED, Reason.OTHER, None),
    ),
    (
        {"eventType": "Bounce", "bounce": {"bounceSubType": "MessageTooLarge"}},
        (Kind.BOUNCED, Reason.PAYLOAD_TOO_LARGE, None),
    ),
    (
        {"eventType": "Complaint", "complaint": {"complaintFeedbackType": "abuse"}},
        (Kind.COMPLAINED, None, COMPLAINT),
    ),
    (
        {"eventType": "Complaint", "complaint": {"complaintFeedbackType": "not-spam"}},
        (Kind.COMPLAINED, None, None),
    ),
    (
        {"eventType": "Reject", "reject": {"reason": "Bad content"}},
        (Kind.REJECTED, Reason.INVALID_CONTENT, None),
    ),
    ({"eventType": "Rendering Failure"}, (Kind.FAILED, Reason.INVALID_CONTENT, None)),
    ({"eventType": "Open", "open": {"ipAddress": "192.0.2.1"}}, (Kind.OPENED, None, None)),
    ({"eventType": "Click", "click": {"link": "http://x/"}}, (Kind.CLICKED, None, None)),
    (
        {"eventType": "DeliveryDelay", "deliveryDelay": {"delayType": "MailboxFull"}},
        (Kind.DEFERRED, None, None),
    ),
    (
        {
            "eventType": "Subscription",
            "subscription": {"newTopicPreferences": {"unsubscribeAll": True}},
        },
        (Kind.UNSUBSCRIBED, None, LEFT),
    ),
    (
        {
            "eventType": "Subscription",
            "subscription": {"newTopicPreferences": {"unsubscribeAll": False}},
        },
        None,
    ),
    ({"eventType": "Delivery", "mail": {}}, None),
    ({"eventType": "Delivery", "mail": "x"}, None),
]


@pytest.mark.parametrize(("event", "expected"), SES)
def test_ses(event: dict[str, Any], expected: tuple[object, ...] | None) -> None:
    mail = {"messageId": "EXAMPLE7c191be45-e9aedb9a", "destination": ["recipient@example.com"]}
    events = read("ses", signing.sns({"mail": mail, **event}))
    assert brief(events) == ([expected] if expected else [])
    assert all(each.provider_message_id == mail["messageId"] for each in events)


def test_ses_tells_the_receivers_words_and_its_time() -> None:
    (event,) = read("ses", signing.sns({"mail": {"messageId": "1"}, **SES[3][0]}))
    assert (event.message, event.code) == ("smtp; 550 5.1.1 user unknown", "General")
    (event,) = read("ses", signing.sns({"mail": {"messageId": "1"}, **SES[1][0]}))
    assert event.occurred_at == datetime(2016, 10, 19, 23, 21, 4, 133_000, UTC)


TWILIO = [
    ({"MessageStatus": "queued"}, None),
    ({"MessageStatus": "sent"}, None),
    ({"MessageStatus": "delivered"}, (Kind.DELIVERED, None, None)),
    ({"MessageStatus": "read"}, (Kind.OPENED, None, None)),
    (
        {"MessageStatus": "undelivered", "ErrorCode": "30003"},
        (Kind.FAILED, Reason.OTHER, None),
    ),
    (
        {"MessageStatus": "undelivered", "ErrorCode": "30005"},
        (Kind.BOUNCED, Reason.INVALID_ADDRESS, HARD),
    ),
    ({"MessageStatus": "failed", "ErrorCode": "30007"}, (Kind.FAILED, Reason.SPAM, None)),
    (
        {"MessageStatus": "failed", "ErrorCode": "21610"},
        (Kind.REJECTED, Reason.UNSUBSCRIBED, LEFT),
    ),
    ({"MessageStatus": "failed"}, (Kind.FAILED, Reason.OTHER, None)),
]


@pytest.mark.parametrize(("fields", "expected"), TWILIO)
def test_twilio(fields: dict[str, str], expected: tuple[object, ...] | None) -> None:
    common = {
        "SmsSid": "SM2xxxxxx",
        "SmsStatus": fields["MessageStatus"],
        "To": "+1512zzzyyyy",
        "MessageSid": "SM2xxxxxx",
        "AccountSid": "ACxxxxxxx",
        "From": "+1512xxxyyyy",
        "ApiVersion": "2010-04-01",
    }
    events = read("twilio", signing.twilio(**common, **fields))
    assert brief(events) == ([expected] if expected else [])
    assert all(each.provider_message_id == "SM2xxxxxx" for each in events)


META = [
    ({"status": "sent"}, None),
    ({"status": "delivered"}, (Kind.DELIVERED, None, None)),
    ({"status": "read"}, (Kind.OPENED, None, None)),
    (
        {"status": "failed", "errors": [{"code": 131026, "title": "Message undeliverable"}]},
        (Kind.FAILED, Reason.INVALID_ADDRESS, None),
    ),
    (
        {"status": "failed", "errors": [{"code": 131050, "title": "Unable to deliver"}]},
        (Kind.REJECTED, Reason.UNSUBSCRIBED, LEFT),
    ),
    ({"status": "failed", "errors": [{"code": 1}]}, (Kind.FAILED, Reason.OTHER, None)),
    ({"status": "failed", "errors": "x"}, (Kind.FAILED, Reason.OTHER, None)),
    ({"status": "deleted"}, None),
]


@pytest.mark.parametrize(("fields", "expected"), META)
def test_meta(fields: dict[str, Any], expected: tuple[object, ...] | None) -> None:
    # The number may be absent: the id alone tells which message it is about.
    common = {
        "id": "wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJDQjZCMzlEQUE4OTJBMTE4RTUA",
        "timestamp": "1603059201",
    }
    events = read("meta", signing.meta({**common, **fields}))
    assert brief(events) == ([expected] if expected else [])
    for each in events:
        assert each.provider_message_id == common["id"]
        assert each.occurred_at == datetime.fromtimestamp(1603059201, UTC)


def test_what_users_write_to_us_on_whatsapp_is_no_report() -> None:
    said = {"entry": [{"changes": [{"value": {"messages": [{"id": "wamid.2"}]}}]}]}
    assert read("meta", Signed("", json.dumps(said).encode())) == []


def msg91_bodies() -> Iterator[Signed]:
    report = {"date": "2024-05-22 10:06:20", "number": "919500006558", "desc": "x"}
    for status in ("1", "2", "9", "16", "17", "25", "8"):
        yield signing.msg91({**report, "status": status}, request_id="346130")


def test_msg91() -> None:
    expected = [
        [(Kind.DELIVERED, None, None)],
        [(Kind.FAILED, Reason.OTHER, None)],
        [(Kind.REJECTED, Reason.BLOCKED, None)],
        [(Kind.REJECTED, Reason.OTHER, None)],
        [(Kind.REJECTED, Reason.BLOCKED, None)],
        [(Kind.REJECTED, Reason.OTHER, None)],
        [],
    ]
    assert [brief(read("msg91", signed)) for signed in msg91_bodies()] == expected


@pytest.mark.parametrize(
    "said",
    [
        {"requestId": "346130", "status": "1", "desc": "DELIVERED", "number": "919500006558"},
        [{"requestId": "346130", "status": "Delivered", "telNum": "919500006558"}],
        {"uuid": "346130", "eventName": "delivered"},
    ],
)
def test_msg91s_other_webhooks(said: object) -> None:
    (event,) = read("msg91", Signed("", json.dumps(said).encode()))
    assert (event.provider_message_id, event.kind) == ("346130", Kind.DELIVERED)


@pytest.mark.parametrize(
    ("name", "body", "content_type"),
    [
        ("sendgrid", b"", "application/json"),
        ("sendgrid", b"{}", "application/json"),
        ("sendgrid", b"[" * 100_000, "application/json"),
        ("sendgrid", b'["\xff"]', "application/json"),
        ("twilio", b"", signing.FORM),
        ("twilio", b"MessageSid=SM1", signing.FORM),
        ("twilio", b"MessageStatus=sent", signing.FORM),
        ("meta", b"[]", "application/json"),
        ("msg91", b"data=", signing.FORM),
        ("msg91", b"data=x", signing.FORM),
        ("msg91", b"\xff", signing.FORM),
        ("msg91", b"nothing", "application/json"),
        ("ses", json.dumps({"Type": "Notification", "Message": "Hello"}).encode(), "text/plain"),
    ],
)
def test_garbage_is_unreadable(name: str, body: bytes, content_type: str, amazon: Amazon) -> None:
    with pytest.raises(Unreadable):
        read(name, Signed("", body, {}, content_type))
    assert amazon.asked == []


def test_a_repetition_has_the_same_digest() -> None:
    first, second, other = (
        read("twilio", signing.twilio(MessageSid="SM1", MessageStatus=status))[0]
        for status in ("delivered", "delivered", "failed")
    )
    assert first.digest() == second.digest() != other.digest()
    assert len({first.digest(), first.digest("org_1"), first.digest("org_2")}) == 3
    assert len(first.digest()) == 16
