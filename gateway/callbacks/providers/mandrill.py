"""Mailchimp Transactional (Mandrill): forms, signed as Twilio signs its own.

https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/
"""

import hmac
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from carillon.errors import Reason
from gateway.callbacks import meanings
from gateway.callbacks.errors import Unreadable, Unverified
from gateway.callbacks.events import Kind, ProviderEvent
from gateway.callbacks.meanings import Meaning, report
from gateway.callbacks.requests import (
    Callback,
    decode_form,
    decode_json,
    field,
    objects,
    text,
    unix_time,
)

SIGNATURE = "X-Mandrill-Signature"

# "send" says that Mandrill passed it on.
_EVENTS: Mapping[str, Meaning] = {
    "delivered": meanings.DELIVERED,
    "deferral": meanings.DEFERRED,
    "hard_bounce": meanings.HARD_BOUNCE,
    "soft_bounce": meanings.SOFT_BOUNCE,
    "open": meanings.OPENED,
    "click": meanings.CLICKED,
    "spam": meanings.COMPLAINED,
    "unsub": meanings.UNSUBSCRIBED,
}
# Why Mandrill did not even try.
_REJECTIONS: Mapping[str, Meaning] = {
    "hard-bounce": meanings.REJECTED_BOUNCED,
    "soft-bounce": Meaning(Kind.REJECTED, Reason.BOUNCED),
    "spam": meanings.REJECTED_COMPLAINED,
    "unsub": meanings.REJECTED_UNSUBSCRIBED,
    "custom": meanings.REJECTED_BLOCKED,
    "rule": meanings.REJECTED_BLOCKED,
    "invalid-sender": Meaning(Kind.REJECTED, Reason.CONFIGURATION),
    "unsigned": Meaning(Kind.REJECTED, Reason.CONFIGURATION),
    "test-mode-limit": Meaning(Kind.REJECTED, Reason.CONFIGURATION),
}


class MandrillCallbacks:
    """A form with an array of events, signed with the webhook's key over the URL and the fields."""

    name = "mandrill"

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def verify(self, callback: Callback) -> None:
        """Raises Unverified."""
        try:
            form = decode_form(callback.body)
        except Unreadable as error:
            raise Unverified("not a form") from error
        said = callback.url + "".join(f"{name}{form[name][-1]}" for name in sorted(form))
        own = b64encode(hmac.digest(self._key, said.encode(), "sha1"))
        given = callback.headers.get(SIGNATURE, "").encode()
        if not hmac.compare_digest(given, own):
            raise Unverified("signature")

    def read(self, callback: Callback) -> Iterator[ProviderEvent]:
        """Raises Unreadable."""
        events = decode_form(callback.body).get("mandrill_events")
        said = decode_json(events[-1]) if events else None
        if not isinstance(said, list):
            raise Unreadable("no array of events")
        for event in objects(said):
            read = _event(event)
            if read is not None:
                yield read


def _event(event: dict[str, Any]) -> ProviderEvent | None:
    name = text(event.get("event"))
    message = event.get("msg")
    why = text(field(message, "reject", "reason") or field(event, "reject", "reason"))
    meaning = _REJECTIONS.get(why, meanings.REJECTED) if name == "reject" else _EVENTS.get(name)
    message_id = text(event.get("_id"))
    if meaning is None or not message_id:
        return None
    bounced = text(field(message, "bounce_description"))
    return report(
        "mandrill",
        message_id,
        meaning,
        code=(bounced or why) if meaning.reason else "",
        message=text(field(message, "diag")) or bounced or why,
        occurred_at=unix_time(event.get("ts")),
    )
