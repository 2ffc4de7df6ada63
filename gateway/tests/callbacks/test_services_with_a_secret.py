"""What services that sign nothing report, with the bodies of their documentation."""

from datetime import UTC, datetime
from typing import Any

import pytest

from carillon.errors import Reason
from gateway.callbacks.events import Kind
from gateway.tests.callbacks import signing
from gateway.tests.callbacks.expected import (
    CLICKED,
    COMPLAINED,
    COMPLAINT,
    DEFERRED,
    DELIVERED,
    HARD_BOUNCE,
    NO_ADDRESS,
    OPENED,
    SOFT_BOUNCE,
    UNSUBSCRIBED,
    Expected,
)
from gateway.tests.callbacks.test_reading import brief, read

pytestmark = pytest.mark.usefixtures("amazon")

POSTMARK_BOUNCE = {
    "RecordType": "Bounce",
    "ID": 42,
    "Type": "HardBounce",
    "TypeCode": 1,
    "Name": "Hard bounce",
    "Tag": "Test",
    "Description": "The server was unable to deliver your message (ex: unknown user).",
    "Details": "smtp;550 5.1.1 unknown user",
    "Email": "john@example.com",
    "From": "sender@example.com",
    "BouncedAt": "2014-08-01T13:28:10.2735393-04:00",
    "DumpAvailable": True,
    "Inactive": True,
    "CanActivate": True,
    "Subject": "Test subject",
    "ServerID": 23,
    "MessageStream": "outbound",
    "Metadata": {"notification_id": "notif_1"},
}
POSTMARK: list[tuple[dict[str, Any], Expected]] = [
    (
        {
            "RecordType": "Delivery",
            "ServerID": 23,
            "Recipient": "john@example.com",
            "DeliveredAt": "2014-08-01T13:28:10.2735393-04:00",
            "Details": "Test delivery webhook details",
        },
        DELIVERED,
    ),
    (POSTMARK_BOUNCE, HARD_BOUNCE),
    ({**POSTMARK_BOUNCE, "Type": "SoftBounce", "TypeCode": 4096}, SOFT_BOUNCE),
    ({**POSTMARK_BOUNCE, "Type": "Transient", "TypeCode": 2}, DEFERRED),
    ({**POSTMARK_BOUNCE, "Type": "BadEmailAddress", "TypeCode": 100000}, NO_ADDRESS),
    ({**POSTMARK_BOUNCE, "Type": "Blocked"}, (Kind.BOUNCED, Reason.BLOCKED, None)),
    ({**POSTMARK_BOUNCE, "Type": "SpamNotification"}, (Kind.BOUNCED, Reason.SPAM, None)),
    ({**POSTMARK_BOUNCE, "Type": "ManuallyDeactivated"}, (Kind.REJECTED, Reason.BLOCKED, None)),
    ({**POSTMARK_BOUNCE, "Type": "AutoResponder", "TypeCode": 32}, None),
    ({**POSTMARK_BOUNCE, "Type": "SomethingNew"}, SOFT_BOUNCE),
    (
        {
            "RecordType": "SpamComplaint",
            "ID": 42,
            "Type": "SpamComplaint",
            "BouncedAt": "2014-08-01T13:28:10.2735393-04:00",
        },
        COMPLAINED,
    ),
    (
        {
            "RecordType": "Open",
            "FirstOpen": True,
            "ReceivedAt": "2014-08-01T17:28:10.2735393Z",
            "Platform": "WebMail",
        },
        OPENED,
    ),
    (
        {
            "RecordType": "Click",
            "OriginalLink": "https://example.com",
            "ReceivedAt": "2014-08-01T17:28:10Z",
        },
        CLICKED,
    ),
    (
        {
            "RecordType": "SubscriptionChange",
            "ChangedAt": "2014-08-01T17:28:10Z",
            "Origin": "Recipient",
            "SuppressSending": True,
            "SuppressionReason": "ManualSuppression",
        },
        UNSUBSCRIBED,
    ),
    (
        {
            "RecordType": "SubscriptionChange",
            "SuppressSending": True,
            "SuppressionReason": "HardBounce",
        },
        None,
    ),
    ({"RecordType": "SubscriptionChange", "SuppressSending": False}, None),
    ({"RecordType": "Inbound"}, None),
    ({"RecordType": {"a": 1}}, None),
]


@pytest.mark.parametrize(("event", "expected"), POSTMARK)
def test_postmark(event: dict[str, Any], expected: Expected) -> None:
    events = read("postmark", signing.postmark({"MessageID": "883953f4-6105", **event}))
    assert brief(events) == ([expected] if expected else [])
    for each in events:
        assert each.provider_message_id == "883953f4-6105"
        moment = datetime(2014, 8, 1, 17, 28, 10, tzinfo=UTC)
        assert each.occurred_at is not None
        assert each.occurred_at.replace(microsecond=0) == moment


def test_postmark_says_what_the_server_said() -> None:
    (event,) = read("postmark", signing.postmark({"MessageID": "1", **POSTMARK_BOUNCE}))
    assert (event.code, event.message) == ("HardBounce", "smtp;550 5.1.1 unknown user")


BREVO: list[tuple[dict[str, Any], Expected]] = [
    ({"event": "request"}, None),
    ({"event": "delivered"}, DELIVERED),
    ({"event": "hard_bounce", "reason": "550 5.1.1 unknown user"}, HARD_BOUNCE),
    ({"event": "soft_bounce", "reason": "server is down"}, SOFT_BOUNCE),
    ({"event": "invalid_email"}, NO_ADDRESS),
    (
        {"event": "blocked", "reason": "blocked : due to blacklist user"},
        (Kind.REJECTED, Reason.BLOCKED, None),
    ),
    ({"event": "error"}, (Kind.FAILED, Reason.OTHER, None)),
    ({"event": "deferred", "reason": "spam"}, DEFERRED),
    ({"event": "unique_opened"}, OPENED),
    ({"event": "opened"}, OPENED),
    ({"event": "proxy_open"}, None),
    ({"event": "unique_proxy_open"}, None),
    ({"event": "click", "link": "https://example.com"}, CLICKED),
    ({"event": "spam"}, COMPLAINED),
    ({"event": "unsubscribed"}, UNSUBSCRIBED),
    ({"event": ["opened"]}, None),
]


@pytest.mark.parametrize(("event", "expected"), BREVO)
@pytest.mark.parametrize("stamp", [1604933654, 1604933654000])
def test_brevo(event: dict[str, Any], expected: Expected, stamp: int) -> None:
    common = {
        "email": "frank@example.com",
        "id": 1,
        "date": "2020-10-09 00:00:00",
        "ts": 1604933619,
        "message-id": "<201798300811.5787683@relay.domain.com>",
        "ts_event": 1604933654,
        "subject": "My first Transactional",
        "X-Mailin-custom": '{"notification_id": "notif_1"}',
        "sending_ip": "1.2.3.4",
        "ts_epoch": stamp,
        "tags": ["transac_messages"],
    }
    events = read("brevo", signing.brevo({**common, **event}))
    assert brief(events) == ([expected] if expected else [])
    for each in events:
        assert each.provider_message_id == "<201798300811.5787683@relay.domain.com>"
        assert each.occurred_at == datetime.fromtimestamp(1604933654, UTC)


MAILJET: list[tuple[dict[str, Any], Expected]] = [
    ({"event": "sent", "smtp_reply": "sent (250 2.0.0 OK)"}, DELIVERED),
    ({"event": "open", "ip": "127.0.0.1", "geo": "US", "agent": "Mozilla/5.0"}, OPENED),
    ({"event": "click", "url": "https://mailjet.com"}, CLICKED),
    (
        {
            "event": "bounce",
            "blocked": False,
            "hard_bounce": True,
            "error_related_to": "recipient",
            "error": "user unknown",
            "comment": "Host or domain name not found.",
        },
        HARD_BOUNCE,
    ),
    ({"event": "bounce", "hard_bounce": False, "error": "quota exceeded"}, SOFT_BOUNCE),
    ({"event": "bounce", "hard_bounce": False, "error": "greylisted"}, DEFERRED),
    (
        {"event": "bounce", "hard_bounce": False, "error": "sender blocked"},
        (Kind.BOUNCED, Reason.BLOCKED, None),
    ),
    (
        {"event": "blocked", "error_related_to": "recipient", "error": "user unknown"},
        (Kind.REJECTED, Reason.INVALID_ADDRESS, None),
    ),
    ({"event": "blocked", "error": "spam reporter"}, (Kind.REJECTED, Reason.SPAM, COMPLAINT)),
    ({"event": "blocked", "error": "preblocked"}, (Kind.REJECTED, Reason.BLOCKED, None)),
    ({"event": "spam", "source": "JMRPP"}, COMPLAINED),
    ({"event": "unsub", "mj_list_id": 1}, UNSUBSCRIBED),
    ({"event": "sent", "MessageID": None}, None),
    ({"event": None}, None),
]


@pytest.mark.parametrize(("event", "expected"), MAILJET)
def test_mailjet(event: dict[str, Any], expected: Expected) -> None:
    common = {
        "time": 1433333949,
        "MessageID": 19421777835146490,
        "Message_GUID": "1ab23cd4-e567-8901-2345-6789f0gh1i2j",
        "email": "api@mailjet.com",
        "mj_campaign_id": 7257,
        "mj_contact_id": 4,
        "customcampaign": "",
        "CustomID": "helloworld",
        "Payload": "",
    }
    events = read("mailjet", signing.mailjet({**common, **event}))
    assert brief(events) == ([expected] if expected else [])
    for each in events:
        # An integer beyond what a double holds.
        assert each.provider_message_id == "19421777835146490"
        assert each.occurred_at == datetime.fromtimestamp(1433333949, UTC)


SPARKPOST: list[tuple[dict[str, Any], Expected]] = [
    ({"type": "injection"}, None),
    ({"type": "delivery"}, DELIVERED),
    ({"type": "delay", "bounce_class": "21", "raw_reason": "454 4.4.4 [internal]"}, DEFERRED),
    ({"type": "bounce", "bounce_class": "10"}, NO_ADDRESS),
    ({"type": "bounce", "bounce_class": "30"}, HARD_BOUNCE),
    ({"type": "bounce", "bounce_class": "1"}, SOFT_BOUNCE),
    ({"type": "bounce", "bounce_class": "22"}, SOFT_BOUNCE),
    ({"type": "bounce", "bounce_class": "51"}, (Kind.BOUNCED, Reason.SPAM, None)),
    ({"type": "out_of_band", "bounce_class": "10"}, NO_ADDRESS),
    ({"type": "out_of_band", "bounce_class": "60"}, None),
    ({"type": "policy_rejection", "bounce_class": "25"}, (Kind.REJECTED, Reason.BLOCKED, None)),
    ({"type": "generation_failure"}, (Kind.FAILED, Reason.INVALID_CONTENT, None)),
    ({"type": "generation_rejection"}, (Kind.REJECTED, Reason.OTHER, None)),
    ({"type": "open"}, OPENED),
    ({"type": "initial_open"}, None),
    ({"type": "click", "target_link_url": "https://example.com"}, CLICKED),
    ({"type": "spam_complaint", "fbtype": "abuse"}, COMPLAINED),
    ({"type": "list_unsubscribe"}, UNSUBSCRIBED),
    ({"type": "link_unsubscribe"}, UNSUBSCRIBED),
    ({"type": "delivery", "transmission_id": ""}, None),
]


@pytest.mark.parametrize(("event", "expected"), SPARKPOST)
def test_sparkpost(event: dict[str, Any], expected: Expected) -> None:
    common = {
        "campaign_id": "Example Campaign Name",
        "customer_id": "1",
        "error_code": "554",
        "event_id": "92356927693813856",
        "message_id": "000443ee14578172be22",
        "msg_from": "sender@example.com",
        "rcpt_meta": {"notification_id": "notif_1"},
        "rcpt_to": "recipient@example.com",
        "raw_reason": "MAIL REFUSED - IP (17.99.99.99) is in black list",
        "timestamp": "1454442600",
        "transmission_id": "65832150921904138",
    }
    events = read("sparkpost", signing.sparkpost({**common, **event}))
    assert brief(events) == ([expected] if expected else [])
    for each in events:
        assert (each.provider_message_id, each.key) == ("65832150921904138", "92356927693813856")
        assert each.occurred_at == datetime.fromtimestamp(1454442600, UTC)
