"""Postmark's webhooks, which it does not sign: a password or a header of ours proves them.

https://postmarkapp.com/developer/webhooks/webhooks-overview
https://postmarkapp.com/developer/api/bounce-api#bounce-types
"""

from collections.abc import Iterator, Mapping
from typing import Any

from carillon.errors import Reason
from gateway.callbacks import meanings
from gateway.callbacks.errors import Unreadable
from gateway.callbacks.events import Kind, ProviderEvent
from gateway.callbacks.meanings import Meaning, report
from gateway.callbacks.requests import Callback, decode_json, iso_time, text
from gateway.callbacks.shared_secret import SharedSecretCallbacks

_RECORDS: Mapping[str, Meaning] = {
    "Delivery": meanings.DELIVERED,
    "Open": meanings.OPENED,
    "Click": meanings.CLICKED,
    "SpamComplaint": meanings.COMPLAINED,
}
# None says nothing of a delivery: an answer out of the office, or an address that may change.
_BOUNCES: Mapping[str, Meaning | None] = {
    "HardBounce": meanings.HARD_BOUNCE,
    "BadEmailAddress": meanings.NO_SUCH_ADDRESS,
    "SoftBounce": meanings.SOFT_BOUNCE,
    "Unknown": meanings.SOFT_BOUNCE,
    # Postmark tries again, and says SoftBounce when it gives up.
    "Transient": meanings.DEFERRED,
    "DnsError": meanings.DEFERRED,
    "Blocked": meanings.BLOCKED,
    "SpamNotification": meanings.TAKEN_FOR_SPAM,
    "VirusNotification": Meaning(Kind.BOUNCED, Reason.INVALID_CONTENT),
    "ManuallyDeactivated": meanings.REJECTED_BLOCKED,
    "DMARCPolicy": Meaning(Kind.REJECTED, Reason.CONFIGURATION),
    "SMTPApiError": meanings.FAILED,
    "TemplateRenderingFailed": Meaning(Kind.FAILED, Reason.INVALID_CONTENT),
    "SpamComplaint": meanings.COMPLAINED,
    "Unsubscribe": meanings.UNSUBSCRIBED,
    "ManualSuppression": meanings.UNSUBSCRIBED,
    "Subscribe": None,
    "AutoResponder": None,
    "AddressChange": None,
    "ChallengeVerification": None,
    "OpenRelayTest": None,
    "Unconfirmed": None,
    "InboundError": None,
}
_TIMES = ("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt")


class PostmarkCallbacks(SharedSecretCallbacks):
    """One object for each event."""

    name = "postmark"

    def read(self, callback: Callback) -> Iterator[ProviderEvent]:
        """Raises Unreadable."""
        said = decode_json(callback.body)
        if not isinstance(said, dict):
            raise Unreadable("not an object")
        meaning = _meaning(said)
        message_id = text(said.get("MessageID"))
        if meaning is None or not message_id:
            return
        stamps = (iso_time(said.get(name)) for name in _TIMES)
        yield report(
            self.name,
            message_id,
            meaning,
            code=text(said.get("Type")),
            message=text(said.get("Details") or said.get("Description")),
            occurred_at=next((stamp for stamp in stamps if stamp is not None), None),
        )


def _meaning(said: dict[str, Any]) -> Meaning | None:
    record = text(said.get("RecordType"))
    if record == "Bounce":
        return _BOUNCES.get(text(said.get("Type")), meanings.SOFT_BOUNCE)
    if record == "SubscriptionChange":
        # For a bounce and a complaint it comes beside their own records.
        left = text(said.get("SuppressionReason")) == "ManualSuppression"
        return meanings.UNSUBSCRIBED if left and said.get("SuppressSending") is True else None
    return _RECORDS.get(record)
