"""What Mailgun, Mandrill and Resend report, and what all of the email services have in common."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from carillon.errors import Reason
from gateway.callbacks.errors import Unreadable
from gateway.callbacks.events import Kind
from gateway.tests.callbacks import signing
from gateway.tests.callbacks.expected import (
    CLICKED,
    COMPLAINED,
    COMPLAINT,
    DEFERRED,
    DELIVERED,
    HARD,
    HARD_BOUNCE,
    LEFT,
    OPENED,
    SOFT_BOUNCE,
    UNSUBSCRIBED,
    Expected,
)
from gateway.tests.callbacks.signing import Signed
from gateway.tests.callbacks.test_reading import brief, read

pytestmark = pytest.mark.usefixtures("amazon")


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
