"""Resend's webhooks, signed by Svix (Standard Webhooks).

https://resend.com/docs/dashboard/webhooks/event-types
https://docs.svix.com/receiving/verifying-payloads/how-manual
"""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.callbacks import meanings
from gateway.callbacks.errors import Unreadable, Unverified
from gateway.callbacks.events import ProviderEvent
from gateway.callbacks.meanings import Meaning, report
from gateway.callbacks.requests import Callback, check_age, decode_json, field, iso_time, text
from gateway.callbacks.requests import unix_time as at_unix_time

ID: Final = "svix-id"
TIMESTAMP: Final = "svix-timestamp"
SIGNATURE: Final = "svix-signature"
# Seconds. Each repetition is signed anew, with its own time.
TOLERANCE: Final = 300.0
SIGNATURES_MOST: Final = 10

_TYPES: Mapping[str, Meaning] = {
    "email.delivered": meanings.DELIVERED,
    "email.delivery_delayed": meanings.DEFERRED,
    "email.opened": meanings.OPENED,
    "email.clicked": meanings.CLICKED,
    "email.complained": meanings.COMPLAINED,
    "email.failed": meanings.FAILED,
    "email.suppressed": meanings.REJECTED_BLOCKED,
}
_SUPPRESSED = frozenset({"Suppressed", "OnAccountSuppressionList"})


class ResendCallbacks:
    """One object for each event."""

    name = "resend"

    def __init__(self, secret: str) -> None:
        """Raises ValueError for what is no secret of Svix's: `whsec_` and base64."""
        try:
            self._key = b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            # Without the cause: its text may quote the secret.
            raise ValueError("no base64") from None

    def verify(self, callback: Callback) -> None:
        """Raises Unverified."""
        stamp = callback.headers.get(TIMESTAMP, "")
        signed = f"{callback.headers.get(ID, '')}.{stamp}.".encode() + callback.body
        own = b"v1," + b64encode(hmac.digest(self._key, signed, "sha256"))
        # While a secret is being changed there are several.
        given = callback.headers.get(SIGNATURE, "").encode().split()[:SIGNATURES_MOST]
        genuine = [hmac.compare_digest(each, own) for each in given]
        if not any(genuine):
            raise Unverified("signature")
        signed_at = at_unix_time(stamp)
        if signed_at is None:
            raise Unverified("timestamp")
        check_age(signed_at, callback.received_at, TOLERANCE)

    def read(self, callback: Callback) -> Iterator[ProviderEvent]:
        """Raises Unreadable."""
        said = decode_json(callback.body)
        if not isinstance(said, dict):
            raise Unreadable("not an object")
        bounce = field(said, "data", "bounce")
        name = text(said.get("type"))
        meaning = _bounce(bounce) if name == "email.bounced" else _TYPES.get(name)
        message_id = text(field(said, "data", "email_id"))
        if meaning is None or not message_id:
            return
        yield report(
            self.name,
            message_id,
            meaning,
            code=text(field(bounce, "subType")) if meaning.reason else "",
            message=text(field(bounce, "message") or field(said, "data", "failed", "reason")),
            occurred_at=iso_time(said.get("created_at")),
            # Of the event: a repetition has the same.
            key=callback.headers.get(ID, ""),
        )


def _bounce(bounce: Any) -> Meaning:
    """By its type, as Amazon names it; older events have a sentence alone."""
    kind, why = text(field(bounce, "type")), text(field(bounce, "message"))
    if text(field(bounce, "subType")) in _SUPPRESSED or "suppressed sending" in why:
        return meanings.REJECTED_BLOCKED
    if kind == "Permanent" or (not kind and "hard bounce" in why):
        return meanings.HARD_BOUNCE
    return meanings.SOFT_BOUNCE
