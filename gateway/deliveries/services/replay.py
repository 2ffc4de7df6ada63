"""Sending again what failed or bounced, one by one: the same notification, another attempt.

An end is final for events; this is somebody's decision, and has its own rule. The attempts made so
far are kept and do not count against the retry policy any more.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from carillon.errors import Reason
from gateway.deliveries.models import DeadLetter
from gateway.deliveries.replay_metrics import REPLAYED
from gateway.deliveries.selectors import get_dead_letter
from gateway.deliveries.services.endings import DEAD_LETTERS
from gateway.deliveries.services.replay_decisions import Decision, Failed, decide
from gateway.deliveries.services.replay_sql import put_back
from gateway.notifications.change_errors import (
    ContentCleared,
    NotificationExpired,
    NotRetryable,
)
from gateway.notifications.models import Notification, NotificationContent
from gateway.notifications.selectors import get_status
from gateway.notifications.services.locking import Authority, changing, lock_notification

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Replay:
    """A dead letter that was replayed; `repeated` where an earlier call did it."""

    letter: DeadLetter
    repeated: bool = False


def replay_dead_letter(authority: Authority, dead_letter_id: str) -> Replay:
    """Send its notification again. Of any number of calls one does it, until it fails anew.

    A recipient who does not want it any more gets nothing: it ends as rejected. Raises
    DeadLetterNotFound, LiveKeyRequired, NotificationBusy, NotRetryable, NotificationExpired,
    ContentCleared or UserServiceUnavailable.
    """
    letter = get_dead_letter(authority.organization_id, dead_letter_id)
    authority.check(letter.notification)
    if letter.replayed_at is not None:
        return Replay(letter, repeated=True)
    _check(letter.notification, datetime.now(UTC))
    # Before the transaction: no lock is held while another service is asked.
    decision = decide(authority.organization_id, _failed(letter.notification))
    with changing():
        notification = lock_notification(authority, letter.notification_id)
        letter = get_dead_letter(authority.organization_id, dead_letter_id)
        if letter.replayed_at is not None:
            return Replay(letter, repeated=True)
        _put_back(notification, decision)
        letter = get_dead_letter(authority.organization_id, dead_letter_id)
    _tell(letter.notification)
    return Replay(letter)


def retry_notification(authority: Authority, notification_id: str) -> Notification:
    """Send what failed or bounced again: a replay by the notification's own id.

    Raises NotificationNotFound, and what `replay_dead_letter` raises.
    """
    found = get_status(authority.organization_id, notification_id)
    authority.check(found)
    _check(found, datetime.now(UTC))
    decision = decide(authority.organization_id, _failed(found))
    with changing():
        notification = lock_notification(authority, notification_id)
        _put_back(notification, decision)
        notification.refresh_from_db()
    _tell(notification)
    return notification


def _check(notification: Notification, now: datetime) -> None:
    """Raises NotRetryable, NotificationExpired or ContentCleared."""
    if notification.status not in DEAD_LETTERS:
        raise NotRetryable(notification.status)
    if notification.expires_at is not None and notification.expires_at <= now:
        raise NotificationExpired
    if not NotificationContent.objects.filter(pk=notification.pk).exists():
        raise ContentCleared


def _put_back(notification: Notification, decision: Decision) -> None:
    """`notification` is locked. Raises as `_check`."""
    now = datetime.now(UTC)
    _check(notification, now)
    # From its number of attempts on they count against the policy: there must be a letter.
    DeadLetter.objects.update_or_create(
        notification=notification,
        defaults={"attempts": notification.attempt, "replayed_at": None},
        create_defaults={
            "organization_id": notification.organization_id,
            "reason": notification.reason or Reason.OTHER,
            "error_message": notification.error_message,
            "attempts": notification.attempt,
            "created_at": now,
        },
    )
    put_back([decision], now=now, start=now)


def _failed(notification: Notification) -> Failed:
    return Failed(
        notification_id=notification.pk,
        user_id=notification.user_id,
        channel=notification.channel,
        category=notification.category,
    )


def _tell(notification: Notification) -> None:
    REPLAYED.labels(notification.status).inc()
    log.info("notification sent again", notification=notification.pk, status=notification.status)
