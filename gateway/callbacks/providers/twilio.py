"""Twilio's status callbacks, for SMS and WhatsApp.

https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
https://www.twilio.com/docs/usage/security#validating-requests
"""

import hmac
from base64 import b64encode
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit, urlunsplit

from carillon.contracts.suppressions import SuppressionReason
from carillon.errors import Reason
from gateway.callbacks.errors import Unreadable, Unverified
from gateway.callbacks.events import Kind, ProviderEvent
from gateway.callbacks.requests import Callback, decode_form

SIGNATURE = "X-Twilio-Signature"

KINDS: Mapping[str, Kind] = {
    "delivered": Kind.DELIVERED,
    "undelivered": Kind.FAILED,
    "failed": Kind.FAILED,
    "canceled": Kind.FAILED,
    "read": Kind.OPENED,
}
# https://www.twilio.com/docs/api/errors: what comes only after the message was accepted.
_FAILURES: Mapping[str, tuple[Kind, Reason]] = {
    "21610": (Kind.REJECTED, Reason.UNSUBSCRIBED),  # answered STOP
    "30004": (Kind.FAILED, Reason.BLOCKED),  # by the user, or the operator
    "30005": (Kind.BOUNCED, Reason.INVALID_ADDRESS),  # no such number
    "30006": (Kind.BOUNCED, Reason.INVALID_ADDRESS),  # a landline
    "30007": (Kind.FAILED, Reason.SPAM),  # filtered
    "30034": (Kind.FAILED, Reason.CONFIGURATION),  # an unregistered number of ours
    "30036": (Kind.FAILED, Reason.TIMED_OUT),  # its validity period is over
    "63003": (Kind.FAILED, Reason.INVALID_ADDRESS),  # not on WhatsApp
    "63013": (Kind.FAILED, Reason.INVALID_CONTENT),
    "63016": (Kind.FAILED, Reason.INVALID_CONTENT),  # outside WhatsApp's 24 hours
    "63024": (Kind.FAILED, Reason.INVALID_ADDRESS),
    "63032": (Kind.FAILED, Reason.BLOCKED),
}
_SUPPRESS: Mapping[Kind, SuppressionReason] = {
    Kind.BOUNCED: SuppressionReason.HARD_BOUNCE,
    Kind.REJECTED: SuppressionReason.UNSUBSCRIBE,
}


class TwilioCallbacks:
    """Forms, signed with the account's token over the URL and the sorted fields."""

    name = "twilio"

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def verify(self, callback: Callback) -> None:
        """Raises Unverified."""
        given = callback.headers.get(SIGNATURE, "").encode()
        try:
            form = decode_form(callback.body)
        except Unreadable as error:
            raise Unverified("not a form") from error
        said = "".join(
            f"{name}{value}" for name in sorted(form) for value in sorted(set(form[name]))
        )
        # All of them, so that the time does not tell which.
        genuine = [
            hmac.compare_digest(given, self._signature(url + said))
            for url in _spellings(callback.url)
        ]
        if not any(genuine):
            raise Unverified("signature")

    def read(self, callback: Callback) -> Iterator[ProviderEvent]:
        """Raises Unreadable."""
        form = {name: values[-1] for name, values in decode_form(callback.body).items()}
        sid = form.get("MessageSid") or form.get("SmsSid") or ""
        status = form.get("MessageStatus") or form.get("SmsStatus") or ""
        if not sid or not status:
            raise Unreadable("neither sid nor status")
        kind = KINDS.get(status)
        if kind is None:
            # queued, sending, sent: no more than we know.
            return
        code = form.get("ErrorCode", "")
        reason = None
        if kind is Kind.FAILED:
            kind, reason = _FAILURES.get(code, (Kind.FAILED, Reason.OTHER))
        yield ProviderEvent(
            provider=self.name,
            provider_message_id=sid,
            kind=kind,
            reason=reason,
            suppress=_SUPPRESS.get(kind),
            code=code,
            message=form.get("ErrorMessage") or f"Twilio: {status}" if reason else "",
        )

    def _signature(self, signed: str) -> bytes:
        return b64encode(hmac.digest(self._token, signed.encode(), "sha1"))


def _spellings(url: str) -> tuple[str, ...]:
    """Twilio signs some URLs with their port, some without."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return (
        urlunsplit(parts._replace(netloc=f"{host}:{port}")),
        urlunsplit(parts._replace(netloc=f"{host}")),
    )
