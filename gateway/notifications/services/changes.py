"""Cancelling, editing and deleting. Who comes first, the relay or we, is decided by row locks."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from carillon.contracts.messages import Content, EmailContent
from carillon.contracts.status import ENDS, Status, origins_of
from carillon.errors import Reason
from gateway.notifications.change_bodies import ChangeBody
from gateway.notifications.change_errors import (
    ContentCleared,
    NotCancellable,
    NotChangeable,
    NotDeletable,
)
from gateway.notifications.counting import remember_deleted
from gateway.notifications.email_options import kept_from
from gateway.notifications.inline import inline_content
from gateway.notifications.models import Notification, NotificationContent
from gateway.notifications.services.locking import Authority, changing, lock_notification
from gateway.notifications.services.returning import give_back_if_unsent
from gateway.notifications.times import check_times
from gateway.outbox.models import OutboxMessage

log = structlog.get_logger(__name__)

CANCELLABLE = frozenset(origins_of(Status.CANCELLED))
# What is retrying has been queued before: its words are out already.
CHANGEABLE = frozenset({Status.SCHEDULED, Status.ACCEPTED})


def cancel_notification(authority: Authority, notification_id: str) -> Notification:
    """Take back the promise to send it; safe to repeat.

    Raises NotificationNotFound, LiveKeyRequired, NotificationBusy or NotCancellable.
    """
    with changing():
        notification = lock_notification(authority, notification_id)
        if notification.status == Status.CANCELLED:
            return notification
        if notification.status not in CANCELLABLE:
            raise NotCancellable(notification.status)
        OutboxMessage.objects.filter(pk=notification.pk).delete()
        _save(
            notification,
            status=Status.CANCELLED,
            reason=Reason.CANCELLED.value,
            error_message="",
            next_attempt_at=None,
        )
    give_back_if_unsent(notification)
    log.info("notification cancelled", notification=notification.pk)
    return notification


def delete_notification(authority: Authority, notification_id: str) -> None:
    """Delete what has ended, with its content, attempts and dead letter.

    Raises NotificationNotFound, LiveKeyRequired, NotificationBusy or NotDeletable.
    """
    with changing():
        notification = lock_notification(authority, notification_id, deleting=True)
        if notification.status not in ENDS:
            raise NotDeletable(notification.status)
        remember_deleted(notification_id)
        notification.delete()
    log.info("notification deleted", notification=notification_id)


def edit_notification(authority: Authority, notification_id: str, body: ChangeBody) -> None:
    """Change what is still to be handed over: content, metadata, times.

    Raises NotificationNotFound, LiveKeyRequired, NotificationBusy, NotChangeable, ContentCleared,
    MissingFields or ValidationFailed.
    """
    now = datetime.now(UTC)
    with changing():
        notification = lock_notification(authority, notification_id)
        if notification.status not in CHANGEABLE:
            raise NotChangeable(notification.status)
        changed: dict[str, Any] = {}
        if body.content is not msgspec.UNSET:
            _write_content(notification, inline_content(notification.channel, body.content))
        if body.metadata is not msgspec.UNSET:
            changed["metadata"] = body.metadata
        if body.scheduled_at is not msgspec.UNSET or body.expires_at is not msgspec.UNSET:
            changed |= _reschedule(notification, body, now)
        _save(notification, **changed)


def _write_content(notification: Notification, content: Content) -> None:
    """Raises ContentCleared."""
    found = NotificationContent.objects.filter(pk=notification.pk)
    former = found.values_list("content", flat=True).first()
    if former is None:
        raise ContentCleared
    if isinstance(content, EmailContent):
        content = kept_from(msgspec.convert(former, EmailContent), content)
    # The fallback would say what was changed here.
    found.update(content=msgspec.to_builtins(content), fallback=None)


def _reschedule(notification: Notification, body: ChangeBody, now: datetime) -> dict[str, Any]:
    """The notification's new times, with its outbox row due accordingly. Raises ValidationFailed.

    The table of moves is for what happens by itself: here somebody decides, and what was accepted
    may become scheduled.
    """
    waiting = notification.status == Status.SCHEDULED
    asked = notification.scheduled_at if waiting else None
    if body.scheduled_at is not msgspec.UNSET:
        asked = body.scheduled_at
    elif asked is not None and asked <= now:
        # It is due, and the relay is about to take it.
        asked = None
    expires_at = notification.expires_at if body.expires_at is msgspec.UNSET else body.expires_at
    scheduled_at = check_times(asked, expires_at, now)
    if body.scheduled_at is msgspec.UNSET:
        return {"expires_at": expires_at}
    OutboxMessage.objects.filter(pk=notification.pk).update(available_at=scheduled_at or now)
    return {
        "status": Status.SCHEDULED if scheduled_at else Status.ACCEPTED,
        "reason": "",
        "deferral": "",
        "scheduled_at": scheduled_at,
        "expires_at": expires_at,
    }


def _save(notification: Notification, **fields: Any) -> None:
    """Only the fields that changed, and when."""
    fields["updated_at"] = datetime.now(UTC)
    for name, value in fields.items():
        setattr(notification, name, value)
    notification.save(update_fields=list(fields))
