"""MSG91's delivery reports, for SMS and WhatsApp.

https://msg91.com/help/webhooks/how-can-i-get-the-delivery-reports-on-my-webhook-url
https://msg91.com/help/webhook-new/how-to-receive-sms-delivery-reports-via-webhook-new

MSG91 signs nothing: the URL holds a secret, or a header that is configured there does.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from carillon.errors import Reason
from gateway.callbacks.errors import Unreadable
from gateway.callbacks.events import Kind, ProviderEvent
from gateway.callbacks.requests import Callback, decode_form, decode_json, objects, text
from gateway.callbacks.shared_secret import SharedSecretCallbacks

# By number and, in newer webhooks, in words.
KINDS: Mapping[str, tuple[Kind, Reason | None]] = {
    "1": (Kind.DELIVERED, None),
    "delivered": (Kind.DELIVERED, None),
    "read": (Kind.OPENED, None),
    "2": (Kind.FAILED, Reason.OTHER),
    "failed": (Kind.FAILED, Reason.OTHER),
    "9": (Kind.REJECTED, Reason.BLOCKED),  # on India's register of those who want no promotion
    "ndnc": (Kind.REJECTED, Reason.BLOCKED),
    "16": (Kind.REJECTED, Reason.OTHER),
    "25": (Kind.REJECTED, Reason.OTHER),
    "rejected": (Kind.REJECTED, Reason.OTHER),
    "17": (Kind.REJECTED, Reason.BLOCKED),
    "blocked": (Kind.REJECTED, Reason.BLOCKED),
}
_IDS = ("requestId", "request_id", "uuid")
_STATUSES = ("status", "eventName", "event")
_MESSAGES = ("failedReason", "failureReason", "reason", "desc")


class MSG91Callbacks(SharedSecretCallbacks):
    """A form with JSON inside, an object, or an array of them.

    Of SMS, or as `msg91_whatsapp` of WhatsApp, as the attempts of that channel name it.
    """

    def __init__(self, secret: str, *, name: str = "msg91") -> None:
        super().__init__(secret)
        self.name = name

    def read(self, callback: Callback) -> Iterator[ProviderEvent]:
        """Raises Unreadable."""
        said = _json(callback)
        for request in objects(said if isinstance(said, list) else [said]):
            # With "report", the id stands once above the reports of its numbers.
            for report in objects(request.get("report")) or [request]:
                read = _event(self.name, {**request, **report})
                if read is not None:
                    yield read


def _json(callback: Callback) -> Any:
    """Raises Unreadable."""
    media_type = callback.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        return decode_json(callback.body)
    data = decode_form(callback.body).get("data")
    if not data:
        raise Unreadable("no data")
    return decode_json(data[0])


def _event(provider: str, report: dict[str, Any]) -> ProviderEvent | None:
    meaning = KINDS.get(_first(report, _STATUSES).strip().lower())
    message_id = _first(report, _IDS)
    if meaning is None or not message_id:
        return None
    kind, reason = meaning
    # Its dates name no zone: the time at which it came is near enough.
    return ProviderEvent(
        provider=provider,
        provider_message_id=message_id,
        kind=kind,
        reason=reason,
        code=text(report.get("status")) if reason else "",
        message=_first(report, _MESSAGES) if reason else "",
    )


def _first(report: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((found for name in names if (found := text(report.get(name)))), "")
