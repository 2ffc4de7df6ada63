"""Brevo's transactional webhooks, which it does not sign: a Bearer token or a password proves them.

https://developers.brevo.com/docs/transactional-webhooks
https://developers.brevo.com/docs/secured-webhooks
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from gateway.callbacks import meanings
from gateway.callbacks.events import ProviderEvent
from gateway.callbacks.meanings import Meaning, report
from gateway.callbacks.requests import Callback, decode_objects, text, unix_time
from gateway.callbacks.shared_secret import SharedSecretCallbacks

# "request" says that Brevo took it. An open by a proxy says nothing of its reader.
_EVENTS: Mapping[str, Meaning] = {
    "delivered": meanings.DELIVERED,
    "hard_bounce": meanings.HARD_BOUNCE,
    "soft_bounce": meanings.SOFT_BOUNCE,
    "invalid_email": meanings.NO_SUCH_ADDRESS,
    "blocked": meanings.REJECTED_BLOCKED,
    "error": meanings.FAILED,
    "deferred": meanings.DEFERRED,
    "unique_opened": meanings.OPENED,
    "opened": meanings.OPENED,
    "click": meanings.CLICKED,
    "spam": meanings.COMPLAINED,
    "complaint": meanings.COMPLAINED,
    "unsubscribe": meanings.UNSUBSCRIBED,
    "unsubscribed": meanings.UNSUBSCRIBED,
}


class BrevoCallbacks(SharedSecretCallbacks):
    """One object for each event, or an array of them where batches are switched on."""

    name = "brevo"

    def read(self, callback: Callback) -> Iterator[ProviderEvent]:
        """Raises Unreadable."""
        for event in decode_objects(callback.body):
            meaning = _EVENTS.get(text(event.get("event")))
            message_id = text(event.get("message-id"))
            if meaning is None or not message_id:
                continue
            yield report(
                self.name,
                message_id,
                meaning,
                code=text(event.get("event")) if meaning.reason else "",
                message=text(event.get("reason")),
                occurred_at=_time(event),
            )


def _time(event: dict[str, Any]) -> datetime | None:
    """`ts_epoch` alone is always of UTC; in milliseconds, though its examples show seconds."""
    stamp = event.get("ts_epoch")
    if not isinstance(stamp, int):
        return None
    return unix_time(stamp / 1_000 if stamp > 100_000_000_000 else stamp)
