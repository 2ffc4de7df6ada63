"""Meta's webhooks about WhatsApp messages.

https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components
https://developers.facebook.com/docs/graph-api/webhooks/getting-started#event-notifications
"""

import hmac
from collections.abc import Iterator, Mapping
from typing import Any

from carillon.contracts.suppressions import SuppressionReason
from carillon.errors import Reason
from gateway.callbacks.errors import Unreadable, Unverified
from gateway.callbacks.events import Kind, ProviderEvent
from gateway.callbacks.requests import Callback, decode_json, field, objects, text, unix_time

SIGNATURE = "X-Hub-Signature-256"

KINDS: Mapping[str, Kind] = {
    "delivered": Kind.DELIVERED,
    "failed": Kind.FAILED,
    "read": Kind.OPENED,
}
# https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
_FAILURES: Mapping[str, tuple[Kind, Reason]] = {
    "131026": (Kind.FAILED, Reason.INVALID_ADDRESS),  # not on WhatsApp, or with an old client
    "131047": (Kind.FAILED, Reason.INVALID_CONTENT),  # more than 24 hours: needs a template
    "131048": (Kind.FAILED, Reason.SPAM),
    "131049": (Kind.FAILED, Reason.RATE_LIMITED),  # Meta spares this user
    "131050": (Kind.REJECTED, Reason.UNSUBSCRIBED),  # wants no marketing from us
    "131051": (Kind.FAILED, Reason.INVALID_CONTENT),
    "131053": (Kind.FAILED, Reason.INVALID_CONTENT),
    "130472": (Kind.FAILED, Reason.BLOCKED),
    "131042": (Kind.FAILED, Reason.CONFIGURATION),
}


class MetaCallbacks:
    """Objects with entries, changes and statuses, signed with the app's secret."""

    name = "meta"

    def __init__(self, app_secret: str, verify_token: str) -> None:
        self._app_secret = app_secret.encode()
        self._verify_token = verify_token.encode()

    def challenge(self, query: Mapping[str, str]) -> str:
        """What to answer to Meta's question whether this is our endpoint. Raises Unverified."""
        given = query.get("hub.verify_token", "").encode()
        expected = self._verify_token
        if not expected or not hmac.compare_digest(given, expected):
            raise Unverified("verify token")
        if query.get("hub.mode") != "subscribe":
            raise Unverified("mode")
        return query.get("hub.challenge", "")

    def verify(self, callback: Callback) -> None:
        """Raises Unverified."""
        given = callback.headers.get(SIGNATURE, "").encode()
        own = hmac.new(self._app_secret, callback.body, "sha256").hexdigest()
        if not hmac.compare_digest(given, f"sha256={own}".encode()):
            raise Unverified("signature")

    def read(self, callback: Callback) -> Iterator[ProviderEvent]:
        """Raises Unreadable."""
        said = decode_json(callback.body)
        if not isinstance(said, dict):
            raise Unreadable("not an object")
        for entry in objects(said.get("entry")):
            for change in objects(entry.get("changes")):
                # What users write to us comes the same way, as `messages`.
                for status in objects(field(change, "value", "statuses")):
                    read = _event(status)
                    if read is not None:
                        yield read


def _event(status: dict[str, Any]) -> ProviderEvent | None:
    kind = KINDS.get(text(status.get("status")))
    message_id = text(status.get("id"))
    if kind is None or not message_id:
        return None
    errors = objects(status.get("errors"))
    error = errors[0] if errors and kind is Kind.FAILED else {}
    code = text(error.get("code"))
    reason = None
    if kind is Kind.FAILED:
        kind, reason = _FAILURES.get(code, (Kind.FAILED, Reason.OTHER))
    return ProviderEvent(
        provider="meta",
        provider_message_id=message_id,
        kind=kind,
        reason=reason,
        suppress=SuppressionReason.UNSUBSCRIBE if kind is Kind.REJECTED else None,
        code=code,
        message=text(error.get("title")),
        occurred_at=unix_time(status.get("timestamp")),
    )
