"""What no provider sends, or one that went mad: refused or kept, never a 500 or a standstill."""

import json
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpRequest, UnreadablePostError
from django.test import Client

from gateway.callbacks import endpoint
from gateway.callbacks.errors import Unreadable, Unverified
from gateway.callbacks.events import Kind, ProviderEvent
from gateway.callbacks.models import CallbackEvent
from gateway.callbacks.providers.resend import SIGNATURES_MOST, TOLERANCE
from gateway.callbacks.registry import callback_providers
from gateway.callbacks.requests import AHEAD, Callback, text
from gateway.callbacks.services.inbox import LONGEST_AGO, keep_events
from gateway.outbox.database import Connection
from gateway.tests.callbacks import signing
from gateway.tests.callbacks.conftest import Drain, Send
from gateway.tests.callbacks.signing import SETTINGS, SIGNERS, Signed
from gateway.tests.callbacks.test_draining import results, sent
from gateway.tests.callbacks.test_reading import read

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

SECRET_ONLY = ("postmark", "brevo", "mailjet", "sparkpost", "msg91")
BODIES = [
    b"[" * 200_000,
    b'{"a":' * 200_000,
    b"[" + b"1," * 500_000 + b"1]",
    b'"\xff\xfe"',
    b"\x00",
    b"NaN",
    b"1e999",
    b"[-1e999, 1e-999]",
    b"1" * 100_000,
    b'{"event": ' + b"9" * 5_000 + b"}",
    b'"\\ud800"',
    b'{"a": 1, "a": 2}',
    b"\xef\xbb\xbf{}",
    "[]".encode("utf-16"),
    "[]".encode("utf-32"),
]


@pytest.mark.parametrize("name", SECRET_ONLY)
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_body_that_nobody_sends_is_unreadable_or_empty(
    name: str, body: bytes, send: Send
) -> None:
    signed = SIGNERS[name]()
    assert send(replace(signed, body=body, content_type="application/json")) in {200, 400}
    assert CallbackEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("postmark", {"RecordType": "Delivery", "MessageID": "x"}),
        ("brevo", {"event": "delivered", "message-id": "x"}),
        ("mailjet", {"event": "sent", "MessageID": "x"}),
        ("sparkpost", {"type": "delivery", "transmission_id": "x"}),
        ("mailgun", {"event": "delivered", "message": {"headers": {"message-id": "x"}}}),
        ("mandrill", {"event": "delivered", "_id": "x"}),
        ("resend", {"type": "email.delivered", "data": {"email_id": "x"}}),
        ("sendgrid", {"event": "delivered", "sg_message_id": "x"}),
        ("meta", {"status": "delivered", "id": "x"}),
        ("msg91", {"status": "1", "requestId": "x"}),
    ],
)
@pytest.mark.parametrize(
    "odd",
    [None, 7, -(2**70), 1e300, True, [], {}, "\x00\ud83d", "x" * 100_000, {"a": {"b": []}}],
    ids=repr,
)
@pytest.mark.usefixtures("amazon")
def test_no_field_of_the_wrong_type_is_a_defect(name: str, event: dict[str, Any], odd: Any) -> None:
    """Each field in turn, also those that we take times, codes and words from."""
    more = (
        *("timestamp", "ts", "ts_epoch", "time", "created_at", "DeliveredAt", "BouncedAt"),
        *("reason", "status", "Type", "error", "errors", "msg", "delivery-status", "signature"),
        *("bounce_class", "raw_reason", "event_id", "sg_event_id", "report", "client-info"),
    )
    signer: Any = getattr(signing, name)
    events = []
    for field in {*event, *more}:
        try:
            events += read(name, signer({**event, field: odd}))
        except Unreadable:
            continue
    keep_events(events, at=datetime.now(UTC))
    # Each of them can be read again, whatever it said.
    assert all(kept.received_at for kept in CallbackEvent.objects.all())


def test_a_time_that_python_cannot_read_again_stops_nobody(
    drained: Drain, session: Connection
) -> None:
    """PostgreSQL stores the year 1 BC, and whoever fetches that row fails for ever."""
    notification = sent(session)
    poison = datetime.fromisoformat("0001-01-01T00:00:00+23:59")
    event = ProviderEvent(
        provider="sendgrid", provider_message_id="sg-1", kind=Kind.OPENED, occurred_at=poison
    )
    now = datetime.now(UTC)
    assert keep_events([event], at=now) == 1
    assert CallbackEvent.objects.get().occurred_at == now - LONGEST_AGO
    assert results(drained()) == ["applied"]
    assert notification.engagement.get().count == 1


def test_more_reports_than_we_take_at_once(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "EVENTS_MOST", 3)
    opens = [{"event": "open", "sg_message_id": str(number)} for number in range(4)]
    assert send(signing.sendgrid(*opens)) == 413
    assert CallbackEvent.objects.count() == 0
    assert send(signing.sendgrid(*opens[:3])) == 200


def test_a_body_larger_than_djangos_own_limit_is_taken(send: Send) -> None:
    event = {"event": "open", "sg_message_id": "1", "useragent": "x" * 3_000_000}
    assert send(signing.sendgrid(event)) == 200
    assert send(signing.sendgrid({**event, "useragent": "x" * 5_000_000})) == 413


def test_a_connection_that_breaks_is_no_defect(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_request: HttpRequest, *_args: object) -> bytes:
        raise UnreadablePostError("gone")

    monkeypatch.setattr(HttpRequest, "read", fail)
    assert send(SIGNERS["twilio"]()) == 400


@pytest.mark.parametrize("length", ["-1", "1e3", "²", "٣x", "0x10", "1,2"])
def test_a_length_that_is_none(length: str, send: Send) -> None:
    response = Client().generic(
        "POST", "/callbacks/twilio/", b"x", CONTENT_LENGTH=length, content_type="text/plain"
    )
    assert response.status_code == 413


def test_what_mailgun_did_not_sign_cannot_be_said_again(
    send: Send, drained: Drain, session: Connection
) -> None:
    """Its signature leaves the event out: whoever saw one could say anything beside it, once."""
    notification = sent(session, "<mg-1@mail.example>", provider="mailgun")
    headers = {"message": {"headers": {"message-id": "mg-1@mail.example"}}}
    opened = signing.mailgun({"event": "opened", **headers})
    assert send(opened) == 200
    forged = json.loads(opened.body)
    forged["event-data"] = {"event": "complained", **headers}
    assert send(replace(opened, body=json.dumps(forged).encode())) == 200
    drained()
    assert [each.kind for each in notification.engagement.all()] == [Kind.OPENED]


def test_mailguns_time_is_part_of_what_it_signs(send: Send) -> None:
    event = {"event": "opened", "message": {"headers": {"message-id": "1"}}}
    old = datetime.now(UTC) - timedelta(seconds=SETTINGS.replay_seconds + 1)
    assert send(signing.mailgun(event, at=old)) == 403
    assert send(signing.mailgun(event, at=datetime.now(UTC) + timedelta(hours=1))) == 403
    # The same text, cut elsewhere: another time.
    said = json.loads(signing.mailgun(event, token="5" * 50).body)
    stamp = said["signature"]["timestamp"]
    for timestamp, token in ((stamp + "5", "5" * 49), (stamp[:-1], stamp[-1] + "5" * 50)):
        said["signature"].update(timestamp=timestamp, token=token)
        assert send(Signed("/callbacks/mailgun/", json.dumps(said).encode())) == 403


@pytest.mark.parametrize("name", ["ses", "mailgun"])
@pytest.mark.parametrize("bomb", [b"{},", b"[],", b'{"a":[[]]},'])
def test_what_is_not_verified_yet_takes_little_memory(name: str, bomb: bytes) -> None:
    """Their signature stands in the body: it is looked for, and nothing else is made of it."""
    signature = b'{"timestamp": "1", "token": "2", "signature": "3"}'
    filling = bomb * (SETTINGS.body_limit // len(bomb))
    body = b'{"bomb": [%b{}], "Type": "Notification", "signature": %b}' % (filling, signature)
    said = Callback("", {}, body, datetime.now(UTC))
    provider = callback_providers(SETTINGS)[name]
    tracemalloc.start()
    try:
        with pytest.raises(Unverified):
            provider.verify(said)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


# A time is signed in whole seconds, and a few pass until it is looked at.
@pytest.mark.parametrize("age", [TOLERANCE + 1, -AHEAD - 60])
def test_resends_signature_is_of_now(age: float, send: Send) -> None:
    """Svix signs each repetition anew."""
    when = datetime.now(UTC) - timedelta(seconds=age)
    assert send(signing.resend({"type": "email.opened", "data": {"email_id": "1"}}, at=when)) == 403


def test_resends_repetition_is_known_by_its_id(send: Send) -> None:
    event = {"type": "email.opened", "data": {"email_id": "1"}}
    now = datetime.now(UTC)
    for age in (60, 0):
        assert send(signing.resend(event, at=now - timedelta(seconds=age))) == 200
    assert CallbackEvent.objects.count() == 1


def test_svixs_own_vector() -> None:
    # svix-libs, python/tests/test_webhook.py and the documentation of manual verification.
    headers = {
        "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "svix-timestamp": "1614265330",
        "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    at = datetime.fromtimestamp(1614265330, UTC)
    said = Callback("", headers, b'{"test": 2432232314}', at)
    provider = callback_providers(SETTINGS)["resend"]
    provider.verify(said)
    many = " ".join(["v1,AAAA"] * SIGNATURES_MOST)
    for forged in (
        replace(said, body=b'{"test": 2432232315}'),
        replace(said, headers={**headers, "svix-id": "msg_x"}),
        replace(said, headers={**headers, "svix-timestamp": "1614265331"}),
        replace(
            said, headers={**headers, "svix-signature": many + " " + headers["svix-signature"]}
        ),
        replace(said, headers={**headers, "svix-signature": headers["svix-signature"][3:]}),
    ):
        with pytest.raises(Unverified):
            provider.verify(forged)


@pytest.mark.parametrize(
    "headers",
    [
        signing.basic(SETTINGS.postmark_secret),
        signing.basic("", name=SETTINGS.postmark_secret),
        {"Authorization": f"Bearer {SETTINGS.postmark_secret}"},
        {"Authorization": f"bearer  {SETTINGS.postmark_secret} "},
        {"X-Callback-Secret": SETTINGS.postmark_secret},
    ],
)
def test_a_secret_may_stand_wherever_a_service_lets_it(headers: dict[str, str], send: Send) -> None:
    assert send(SIGNERS["postmark"](), headers=headers) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Digest {SETTINGS.postmark_secret}"},
        {"Authorization": f"Basic {SETTINGS.postmark_secret}"},
        {"Authorization": "Basic /////w=="},
        {"Authorization": "Basic"},
        {"Authorization": ""},
        signing.basic(SETTINGS.postmark_secret + "x"),
        signing.basic(SETTINGS.brevo_secret),
    ],
)
def test_a_secret_that_is_none(headers: dict[str, str], send: Send) -> None:
    assert send(SIGNERS["postmark"](), headers=headers) == 403


def test_a_number_of_hundreds_of_digits_is_nobodys_id() -> None:
    assert text(2**64 - 1) == "18446744073709551615"
    assert text(10**5_000) == text(-(10**5_000)) == text(float("inf")) == text(float("nan")) == ""
