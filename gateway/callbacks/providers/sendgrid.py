"""SendGrid's event webhook, with its signature.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from carillon.contracts.suppressions import SuppressionReason
from carillon.errors import Reason
from gateway.callbacks.errors import Unreadable, Unverified
from gateway.callbacks.events import Kind, ProviderEvent
from gateway.callbacks.requests import Callback, check_age, decode_json, objects, text, unix_time

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"

KINDS: Mapping[str, Kind] = {
    "delivered": Kind.DELIVERED,
    "bounce": Kind.BOUNCED,
    "dropped": Kind.REJECTED,
    "deferred": Kind.DEFERRED,
    "open": Kind.OPENED,
    "click": Kind.CLICKED,
    "spamreport": Kind.COMPLAINED,
    "unsubscribe": Kind.UNSUBSCRIBED,
    "group_unsubscribe": Kind.UNSUBSCRIBED,
}
# Why SendGrid did not even try: its own lists, which know what we did not.
_DROPPED: Mapping[str, tuple[Reason, SuppressionReason | None]] = {
    "bounced address": (Reason.BOUNCED, SuppressionReason.HARD_BOUNCE),
    "invalid": (Reason.INVALID_ADDRESS, SuppressionReason.HARD_BOUNCE),
    "unsubscribed address": (Reason.UNSUBSCRIBED, SuppressionReason.UNSUBSCRIBE),
    "spam reporting address": (Reason.SPAM, SuppressionReason.COMPLAINT),
    "spam content": (Reason.SPAM, None),
    "invalid smtpapi header": (Reason.INVALID_CONTENT, None),
    "recipient list over package quota": (Reason.CONFIGURATION, None),
}
_SUPPRESS: Mapping[Kind, SuppressionReason] = {
    Kind.COMPLAINED: SuppressionReason.COMPLAINT,
    Kind.UNSUBSCRIBED: SuppressionReason.UNSUBSCRIBE,
}
# A full mailbox may be emptied, and 4xx is for now (RFC 5321, 4.2.3; RFC 3463, 3.3).
_FULL = re.compile(r"552|4\d\d|4\.|5\.2\.2")
# What follows the X-Message-Id of the answer: "<id>.filter0001.16648…", "<id>.recvd-5f9ff…".
_SUFFIX = re.compile(r"\.(?:filter|recvd)")


class SendGridCallbacks:
    """Arrays of events, signed with the account's key over the timestamp and the raw body."""

    name = "sendgrid"

    def __init__(self, key: EllipticCurvePublicKey, replay_seconds: float) -> None:
        self._key = key
        self._replay_seconds = replay_seconds

    def verify(self, callback: Callback) -> None:
        """Raises Unverified."""
        timestamp = callback.headers.get(TIMESTAMP, "")
        try:
            signature = b64decode(callback.headers.get(SIGNATURE, ""), validate=True)
            self._key.verify(signature, timestamp.encode() + callback.body, ECDSA(SHA256()))
        except (InvalidSignature, binascii.Error, ValueError):
            raise Unverified("signature") from None
        signed_at = unix_time(timestamp)
        if signed_at is None:
            raise Unverified("timestamp")
        check_age(signed_at, callback.received_at, self._replay_seconds)

    def read(self, callback: Callback) -> Iterator[ProviderEvent]:
        """Raises Unreadable."""
        said = decode_json(callback.body)
        if not isinstance(said, list):
            raise Unreadable("not an array")
        for event in objects(said):
            read = _event(event)
            if read is not None:
                yield read


def _event(event: dict[str, Any]) -> ProviderEvent | None:
    kind = KINDS.get(text(event.get("event")))
    message_id = _SUFFIX.split(text(event.get("sg_message_id")), maxsplit=1)[0]
    # A mail program that fetches every picture beforehand says nothing of its reader.
    if kind is None or not message_id or event.get("sg_machine_open") is True:
        return None
    reason, suppress = _meaning(kind, event)
    return ProviderEvent(
        provider="sendgrid",
        provider_message_id=message_id,
        kind=kind,
        reason=reason,
        suppress=suppress,
        code=text(event.get("status")),
        message=text(event.get("reason")) if reason else "",
        occurred_at=unix_time(event.get("timestamp")),
        key=text(event.get("sg_event_id")),
    )


def _meaning(kind: Kind, event: dict[str, Any]) -> tuple[Reason | None, SuppressionReason | None]:
    if kind is Kind.REJECTED:
        why = text(event.get("reason")).strip().lower()
        return _DROPPED.get(why, (Reason.OTHER, None))
    if kind is not Kind.BOUNCED:
        return None, _SUPPRESS.get(kind)
    # "blocked" is about us or for now; the address itself may be good.
    if text(event.get("type")) == "blocked":
        return Reason.BLOCKED, None
    if _FULL.match(text(event.get("status"))):
        return Reason.OTHER, None
    return Reason.BOUNCED, SuppressionReason.HARD_BOUNCE
