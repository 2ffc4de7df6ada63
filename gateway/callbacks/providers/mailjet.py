"""Mailjet's events, which it does not sign: the password in the address proves them.

https://dev.mailjet.com/email/guides/webhooks/
"""

from collections.abc import Iterator, Mapping
from typing import Any

from carillon.errors import Reason
from gateway.callbacks import meanings
from gateway.callbacks.events import Kind, ProviderEvent
from gateway.callbacks.meanings import Meaning, report
from gateway.callbacks.requests import Callback, decode_objects, text, unix_time
from gateway.callbacks.shared_secret import SharedSecretCallbacks

_EVENTS: Mapping[str, Meaning] = {
    # Accepted by the recipient's server.
    "sent": meanings.DELIVERED,
    "open": meanings.OPENED,
    "click": meanings.CLICKED,
    "spam": meanings.COMPLAINED,
    "unsub": meanings.UNSUBSCRIBED,
}
# What Mailjet says of a bounce, or of a message that it did not even try.
_REASONS: Mapping[str, Reason] = {
    "user unknown": Reason.INVALID_ADDRESS,
    "mailbox inactive": Reason.INVALID_ADDRESS,
    "invalid domain": Reason.INVALID_ADDRESS,
    "no mail host": Reason.INVALID_ADDRESS,
    "typofix": Reason.INVALID_ADDRESS,
    "blacklisted": Reason.BLOCKED,
    "spam reporter": Reason.SPAM,
    "relay/access denied": Reason.BLOCKED,
    "sender blocked": Reason.BLOCKED,
    "content blocked": Reason.SPAM,
    "policy issue": Reason.BLOCKED,
    "preblocked": Reason.BLOCKED,
}


class MailjetCallbacks(SharedSecretCallbacks):
    """An array of events, or one alone where they are not grouped."""

    name = "mailjet"

    def read(self, callback: Callback) -> Iterator[ProviderEvent]:
        """Raises Unreadable."""
        for event in decode_objects(callback.body):
            meaning = _meaning(event)
            # Mailjet's own, for it tells us a bounce of the API's `Messages[].To[].MessageID`.
            message_id = text(event.get("MessageID"))
            if meaning is None or not message_id:
                continue
            yield report(
                self.name,
                message_id,
                meaning,
                code=text(event.get("error")),
                message=text(event.get("comment") or event.get("smtp_reply") or event.get("error")),
                occurred_at=unix_time(event.get("time")),
            )


def _meaning(event: dict[str, Any]) -> Meaning | None:
    name = text(event.get("event"))
    if name not in {"bounce", "blocked"}:
        return _EVENTS.get(name)
    error = text(event.get("error"))
    if name == "blocked":
        if error == "spam reporter":
            return meanings.REJECTED_COMPLAINED
        return Meaning(Kind.REJECTED, _REASONS.get(error, Reason.OTHER))
    if event.get("hard_bounce") is True:
        return meanings.HARD_BOUNCE
    # Mailjet tries again.
    if error == "greylisted":
        return meanings.DEFERRED
    return Meaning(Kind.BOUNCED, _REASONS.get(error, Reason.OTHER))
