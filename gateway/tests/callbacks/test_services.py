"""What the email services behind django-anymail report, with the bodies of their documentation."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from carillon.contracts.suppressions import SuppressionReason
from carillon.errors import Reason
from gateway.callbacks.errors import Unreadable
from gateway.callbacks.events import Kind
from gateway.tests.callbacks import signing
from gateway.tests.callbacks.signing import Signed
from gateway.tests.callbacks.test_reading import COMPLAINT, HARD, LEFT, brief, read

pytestmark = pytest.mark.usefixtures("amazon")

Expected = tuple[Kind, Reason | None, SuppressionReason | None] | None

DELIVERED: Expected = (Kind.DELIVERED, None, None)
DEFERRED: Expected = (Kind.DEFERRED, None, None)
OPENED: Expected = (Kind.OPENED, None, None)
CLICKED: Expected = (Kind.CLICKED, None, None)
COMPLAINED: Expected = (Kind.COMPLAINED, None, COMPLAINT)
UNSUBSCRIBED: Expected = (Kind.UNSUBSCRIBED, None, LEFT)
HARD_BOUNCE: Expected = (Kind.BOUNCED, Reason.BOUNCED, HARD)
SOFT_BOUNCE: Expected = (Kind.BOUNCED, Reason.OTHER, None)
NO_ADDRESS: Expected = (Kind.BOUNCED, Reason.INVALID_ADDRESS, HARD)

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


def failed(reason: str, **fields: Any) -> dict[str, Any]:
    return {"event": "failed", "severity": "permanent", "reason": reason, **fields}


MAILGUN: list[tuple[dict[str, Any], Expected]] = [
    ({"event": "accepted"}, None),
    ({"event": "delivered"}, DELIVERED),
    (failed("bounce"), HARD_BOUNCE),
    (failed("bounce", **{"delivery-status": {"code": 552, "message": "full"}}), SOFT_BOUNCE),
    (failed("suppress-bounce"), (Kind.REJECTED, Reason.BOUNCED, HARD)),
    (failed("suppress-complaint"), (Kind.REJECTED, Reason.SPAM, COMPLAINT)),
    (failed("suppress-unsubscribe"), (Kind.REJECTED, Reason.UNSUBSCRIBED, LEFT)),
    (failed("old"), (Kind.BOUNCED, Reason.TIMED_OUT, None)),
    (failed("generic"), SOFT_BOUNCE),
    ({"event": "failed", "severity": "temporary", "reason": "greylisted"}, DEFERRED),
    (
        {"event": "rejected", "reject": {"reason": "Sandbox subdomains are for test purposes"}},
        (Kind.REJECTED, Reason.OTHER, None),
    ),
    ({"event": "opened", "client-info": {"bot": ""}}, OPENED),
    ({"event": "opened", "client-info": {"bot": "apple"}}, None),
    ({"event": "clicked", "url": "https://example.com"}, CLICKED),
    ({"event": "complained"}, COMPLAINED),
    ({"event": "unsubscribed"}, UNSUBSCRIBED),
    ({"event": "delivered", "message": {}}, None),
    ({"event": "delivered", "message": "x"}, None),
]


@pytest.mark.parametrize(("event", "expected"), MAILGUN)
def test_mailgun(event: dict[str, Any], expected: Expected) -> None:
    common = {
        "id": "hTWCTD81RtiDN-...",
        "timestamp": 1534108637.153125,
        "log-level": "info",
        "recipient": "recipient@example.com",
        "message": {"headers": {"message-id": "20180812211713.1.DF5966851B4BAA99@example.org"}},
        "delivery-status": {"code": 550, "message": "5.1.1 unknown", "attempt-no": 1},
        "user-variables": {"notification_id": "notif_1"},
    }
    events = read("mailgun", signing.mailgun({**common, **event}))
    assert brief(events) == ([expected] if expected else [])
    for each in events:
        assert each.provider_message_id == "<20180812211713.1.DF5966851B4BAA99@example.org>"
        assert each.occurred_at == datetime.fromtimestamp(1534108637.153125, UTC)
        assert each.key == "a8ce0edb2dd8301dee6c24052"


def rejected(reason: str) -> dict[str, Any]:
    return {"event": "reject", "msg": {"state": "rejected", "reject": {"reason": reason}}}


MANDRILL: list[tuple[dict[str, Any], Expected]] = [
    ({"event": "send"}, None),
    ({"event": "delivered"}, DELIVERED),
    ({"event": "deferral"}, DEFERRED),
    (
        {
            "event": "hard_bounce",
            "msg": {
                "bounce_description": "bad_mailbox",
                "bgtools_code": 10,
                "diag": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
            },
        },
        HARD_BOUNCE,
    ),
    ({"event": "soft_bounce", "msg": {"bounce_description": "mailbox_full"}}, SOFT_BOUNCE),
    ({"event": "open"}, OPENED),
    ({"event": "click", "url": "http://example.com"}, CLICKED),
    ({"event": "spam"}, COMPLAINED),
    ({"event": "unsub"}, UNSUBSCRIBED),
    (rejected("hard-bounce"), (Kind.REJECTED, Reason.BOUNCED, HARD)),
    (rejected("unsub"), (Kind.REJECTED, Reason.UNSUBSCRIBED, LEFT)),
    (rejected("spam"), (Kind.REJECTED, Reason.SPAM, COMPLAINT)),
    (rejected("unsigned"), (Kind.REJECTED, Reason.CONFIGURATION, None)),
    ({"event": "reject"}, (Kind.REJECTED, Reason.OTHER, None)),
    # Of Mandrill's own list, and of received mail.
    ({"type": "blacklist", "action": "add", "reject": {"email": "a@b.example"}}, None),
    ({"event": "inbound"}, None),
]


@pytest.mark.parametrize(("event", "expected"), MANDRILL)
def test_mandrill(event: dict[str, Any], expected: Expected) -> None:
    common = {"_id": "abcdef012345789abcdef012345789", "ts": 1461095246}
    events = read("mandrill", signing.mandrill({**common, **event}))
    assert brief(events) == ([expected] if expected else [])
    for each in events:
        assert each.provider_message_id == "abcdef012345789abcdef012345789"
        assert each.occurred_at == datetime.fromtimestamp(1461095246, UTC)


RESEND: list[tuple[dict[str, Any], Expected]] = [
    ({"type": "email.sent"}, None),
    ({"type": "email.delivered"}, DELIVERED),
    ({"type": "email.delivery_delayed"}, DEFERRED),
    (
        {
            "type": "email.bounced",
            "bounce": {
                "message": "The recipient's email address is on the suppression list because it "
                "has a recent history of producing hard bounces.",
                "subType": "Suppressed",
                "type": "Permanent",
            },
        },
        (Kind.REJECTED, Reason.BLOCKED, None),
    ),
    ({"type": "email.bounced", "bounce": {"type": "Permanent", "subType": "General"}}, HARD_BOUNCE),
    ({"type": "email.bounced", "bounce": {"type": "Transient", "subType": "General"}}, SOFT_BOUNCE),
    # As it was before bounces had a type.
    (
        {
            "type": "email.bounced",
            "bounce": {"message": "The recipient's email provider sent a hard bounce message"},
        },
        HARD_BOUNCE,
    ),
    (
        {
            "type": "email.bounced",
            "bounce": {"message": "Resend has suppressed sending to this address"},
        },
        (Kind.REJECTED, Reason.BLOCKED, None),
    ),
    ({"type": "email.bounced"}, SOFT_BOUNCE),
    (
        {"type": "email.failed", "failed": {"reason": "reached_daily_quota"}},
        (Kind.FAILED, Reason.OTHER, None),
    ),
    ({"type": "email.suppressed"}, (Kind.REJECTED, Reason.BLOCKED, None)),
    ({"type": "email.opened"}, OPENED),
    ({"type": "email.clicked", "click": {"link": "https://resend.com"}}, CLICKED),
    ({"type": "email.complained"}, COMPLAINED),
    ({"type": "contact.updated"}, None),
]


@pytest.mark.parametrize(("event", "expected"), RESEND)
def test_resend(event: dict[str, Any], expected: Expected) -> None:
    kind, *_ = event.values()
    data = {
        "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
        "created_at": "2024-11-22T23:41:11.894719+00:00",
        "from": "Acme <onboarding@resend.dev>",
        "to": ["delivered@resend.dev"],
        "subject": "Sending this example",
        **{name: value for name, value in event.items() if name != "type"},
    }
    said = {"type": kind, "created_at": "2024-11-22T23:41:12.126Z", "data": data}
    events = read("resend", signing.resend(said))
    assert brief(events) == ([expected] if expected else [])
    for each in events:
        assert each.provider_message_id == "56761188-7520-42d8-8898-ff6fc54ce618"
        assert each.occurred_at == datetime(2024, 11, 22, 23, 41, 12, 126_000, tzinfo=UTC)
        assert each.key == "msg_2W2D3qXLS5fOaPja1GDg7"


@pytest.mark.parametrize(
    "signed",
    [
        signing.brevo(
            {"event": "opened", "message-id": "1"},
            {},
            {"event": 1},
            {"event": "click", "message-id": "2"},
        ),
        signing.mailjet(
            {"event": "open", "MessageID": 1}, {}, {"event": "click", "MessageID": "2"}
        ),
        signing.mandrill({"event": "open", "_id": "1"}, {}, {"event": "click", "_id": "2"}),
        signing.sparkpost(
            {"type": "open", "transmission_id": "1"}, {}, {"type": "click", "transmission_id": "2"}
        ),
    ],
    ids=lambda signed: signed.path,
)
def test_a_batch_is_read_whole_and_what_is_odd_costs_nobody(signed: Signed) -> None:
    name = signed.path.split("/")[2]
    assert [(each.kind, each.provider_message_id) for each in read(name, signed)] == [
        (Kind.OPENED, "1"),
        (Kind.CLICKED, "2"),
    ]


@pytest.mark.parametrize(
    "signer",
    [signing.postmark, signing.mailgun, signing.resend],
)
@pytest.mark.parametrize("said", [[], "text", 7, None])
def test_what_is_no_object_is_unreadable(signer: Callable[[Any], Signed], said: Any) -> None:
    signed = signer(said)
    with pytest.raises(Unreadable):
        read(signed.path.split("/")[2], signed)


@pytest.mark.parametrize("name", ["brevo", "mailjet", "sparkpost", "mandrill"])
@pytest.mark.parametrize("body", [b'"text"', b"7", b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_list_is_unreadable(name: str, body: bytes) -> None:
    with pytest.raises(Unreadable):
        read(name, Signed(f"/callbacks/{name}/", body))
