"""Mailgun's webhooks, signed inside of their body.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
https://documentation.mailgun.com/docs/mailgun/user-manual/events/event-structure
"""

import hmac
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from carillon.errors import Reason
from gateway.callbacks import meanings
from gateway.callbacks.errors import Unreadable, Unverified
from gateway.callbacks.events import Kind, ProviderEvent
from gateway.callbacks.meanings import Meaning, report
from gateway.callbacks.requests import (
    Callback,
    check_age,
    decode_json,
    decode_proof,
    field,
    text,
    unix_time,
)

_EVENTS: Mapping[str, Meaning] = {
    "delivered": meanings.DELIVERED,
    "rejected": meanings.REJECTED,
    "opened": meanings.OPENED,
    "clicked": meanings.CLICKED,
    "complained": meanings.COMPLAINED,
    "unsubscribed": meanings.UNSUBSCRIBED,
}
# Why a failure is for good.
_FAILURES: Mapping[str, Meaning] = {
    "bounce": meanings.HARD_BOUNCE,
    "suppress-bounce": meanings.REJECTED_BOUNCED,
    "suppress-complaint": meanings.REJECTED_COMPLAINED,
    "suppress-unsubscribe": meanings.REJECTED_UNSUBSCRIBED,
    "espblock": meanings.BLOCKED,
    "old": Meaning(Kind.BOUNCED, Reason.TIMED_OUT),
}
# A full mailbox may be emptied (RFC 5321, 4.2.3).
_FULL = 552


class _Signature(msgspec.Struct):
    timestamp: str | int
    token: str
    signature: str


class _Signed(msgspec.Struct):
    signature: _Signature


class MailgunCallbacks:
    """An object with a signature and an event.

    The signature covers a time and a token, and not the event: whoever saw one callback could put
    other words beside it. So the token is the report's id, and what comes with it a second time is
    a repetition, whatever it says; for as long as its time is believed.
    """

    name = "mailgun"

    def __init__(self, signing_key: str, replay_seconds: float) -> None:
        self._key = signing_key.encode()
        self._replay_seconds = replay_seconds

    def verify(self, callback: Callback) -> None:
        """Raises Unverified."""
        signature = decode_proof(callback.body, _Signed).signature
        stamp, token = text(signature.timestamp), signature.token
        own = hmac.new(self._key, f"{stamp}{token}".encode(), "sha256")
        given = signature.signature.encode()
        # Without a token, or with digits in the wrong one of the two, it would say another time.
        if not token or not stamp.isdecimal():
            raise Unverified("time or token")
        if not hmac.compare_digest(given, own.hexdigest().encode()):
            raise Unverified("signature")
        signed_at = unix_time(stamp)
        if signed_at is None:
            raise Unverified("time")
        check_age(signed_at, callback.received_at, self._replay_seconds)

    def read(self, callback: Callback) -> Iterator[ProviderEvent]:
        """Raises Unreadable."""
        said = decode_json(callback.body)
        event = field(said, "event-data")
        if not isinstance(event, dict):
            raise Unreadable("no event")
        meaning = _meaning(event)
        message_id = text(field(event, "message", "headers", "message-id"))
        if meaning is None or not message_id:
            return
        status = field(event, "delivery-status")
        yield report(
            self.name,
            # Mailgun's API answers with the brackets that its events leave out.
            message_id if message_id.startswith("<") else f"<{message_id}>",
            meaning,
            code=text(field(status, "code")) if meaning.reason else "",
            message=text(
                field(status, "message")
                or field(status, "description")
                or field(event, "reject", "reason")
            ),
            occurred_at=unix_time(event.get("timestamp")),
            key=text(field(said, "signature", "token")),
        )


def _meaning(event: dict[str, Any]) -> Meaning | None:
    name = text(event.get("event"))
    if name == "opened" and text(field(event, "client-info", "bot")) == "apple":
        # A mail program that fetches every picture beforehand says nothing of its reader.
        return None
    if name != "failed":
        return _EVENTS.get(name)
    if text(event.get("severity")) == "temporary":
        return meanings.DEFERRED
    meaning = _FAILURES.get(text(event.get("reason")), meanings.SOFT_BOUNCE)
    full = field(event, "delivery-status", "code") == _FULL
    return meanings.SOFT_BOUNCE if meaning is meanings.HARD_BOUNCE and full else meaning
