"""SparkPost's webhooks, which it does not sign: a password or a header of ours proves them.

https://developers.sparkpost.com/api/webhooks/
https://support.sparkpost.com/docs/deliverability/bounce-classification-codes
"""

from collections.abc import Iterator, Mapping
from typing import Any

from carillon.errors import Reason
from gateway.callbacks import meanings
from gateway.callbacks.errors import Unreadable
from gateway.callbacks.events import Kind, ProviderEvent
from gateway.callbacks.meanings import Meaning, report
from gateway.callbacks.requests import Callback, decode_json, field, objects, text, unix_time
from gateway.callbacks.shared_secret import SharedSecretCallbacks

# `initial_open` comes beside the `open` of the same reading.
_TYPES: Mapping[str, Meaning] = {
    "delivery": meanings.DELIVERED,
    "delay": meanings.DEFERRED,
    "open": meanings.OPENED,
    "amp_open": meanings.OPENED,
    "click": meanings.CLICKED,
    "amp_click": meanings.CLICKED,
    "spam_complaint": meanings.COMPLAINED,
    "list_unsubscribe": meanings.UNSUBSCRIBED,
    "link_unsubscribe": meanings.UNSUBSCRIBED,
    "generation_failure": Meaning(Kind.FAILED, Reason.INVALID_CONTENT),
    "generation_rejection": meanings.REJECTED,
}
_BOUNCES = frozenset({"bounce", "out_of_band", "policy_rejection"})
# By class; what is missing is soft. None is no bounce: an automatic answer, or a subscription.
_CLASSES: Mapping[str, Meaning | None] = {
    "10": meanings.NO_SUCH_ADDRESS,
    "30": meanings.HARD_BOUNCE,
    "90": meanings.UNSUBSCRIBED,
    "23": Meaning(Kind.BOUNCED, Reason.PAYLOAD_TOO_LARGE),
    "24": Meaning(Kind.BOUNCED, Reason.TIMED_OUT),
    "25": meanings.BLOCKED,
    "26": meanings.BLOCKED,
    "50": meanings.BLOCKED,
    "51": meanings.TAKEN_FOR_SPAM,
    "52": meanings.TAKEN_FOR_SPAM,
    "53": Meaning(Kind.BOUNCED, Reason.INVALID_CONTENT),
    "54": meanings.BLOCKED,
    "60": None,
    "80": None,
    "100": None,
}


class SparkPostCallbacks(SharedSecretCallbacks):
    """Arrays of events, each inside of an object that names its class."""

    name = "sparkpost"

    def read(self, callback: Callback) -> Iterator[ProviderEvent]:
        """Raises Unreadable."""
        said = decode_json(callback.body)
        if not isinstance(said, list):
            raise Unreadable("not an array")
        for wrapped in objects(said):
            inner = field(wrapped, "msys")
            # Empty when SparkPost only looks whether somebody answers.
            for event in objects(list(inner.values()) if isinstance(inner, dict) else None):
                read = _event(event)
                if read is not None:
                    yield read


def _event(event: dict[str, Any]) -> ProviderEvent | None:
    kind, bounce_class = text(event.get("type")), text(event.get("bounce_class"))
    if kind in _BOUNCES:
        meaning = _CLASSES.get(bounce_class, meanings.SOFT_BOUNCE)
    else:
        meaning = _TYPES.get(kind)
    if meaning is not None and kind == "policy_rejection" and meaning.kind is Kind.BOUNCED:
        # SparkPost itself refused it: nobody was asked.
        meaning = meaning._replace(kind=Kind.REJECTED)
    # What its API answers with; `message_id` is another.
    message_id = text(event.get("transmission_id"))
    if meaning is None or not message_id:
        return None
    return report(
        "sparkpost",
        message_id,
        meaning,
        code=text(event.get("error_code")) or bounce_class,
        message=text(event.get("raw_reason") or event.get("reason")),
        occurred_at=unix_time(event.get("timestamp")),
        key=text(event.get("event_id")),
    )
