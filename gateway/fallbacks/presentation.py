"""Turns a stored fallback into what the API shows."""

from carillon.contracts.status import Status
from gateway.fallbacks.models import Fallback, FallbackStatus
from gateway.fallbacks.shapes import FallbackShape
from gateway.notifications.models import Notification


def show_fallback(notification: Notification) -> FallbackShape | None:
    """That of a notification, which comes with it; None where it needed none."""
    fallback: Fallback | None = getattr(notification, "fallback", None)
    if fallback is None:
        return None
    child = fallback.child
    return FallbackShape(
        channel=fallback.channel,
        template_code=fallback.template_code,
        cause=fallback.cause,
        status=FallbackStatus(fallback.status),
        reason=fallback.reason or None,
        message=fallback.message or None,
        notification_id=child.pk if child else None,
        notification_status=Status(child.status) if child else None,
        created_at=fallback.created_at,
        settled_at=fallback.settled_at,
    )


def fallback_of(notification: Notification) -> str | None:
    """The notification in whose place this one was sent."""
    replaced: Fallback | None = getattr(notification, "stands_in_for", None)
    return None if replaced is None else str(replaced.notification_id)
