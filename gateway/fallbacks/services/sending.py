"""Sending a fallback: a notification of its own, composed now, once for the one it stands in for.

What makes it once is the row of the fallback and the lock of the notification: whoever inserts
the child writes the child into that row, in one transaction, under that lock. A receipt that comes
meanwhile waits for the lock, or was first, and then nothing is sent.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec
import structlog
from django.db import transaction

from carillon.contracts import ids
from carillon.contracts.status import Status
from carillon.web.errors import ServiceUnavailable
from gateway.admission import reservations
from gateway.admission.claims import Reservation
from gateway.admission.errors import QuotaExceeded, RateLimitExceeded
from gateway.fallbacks.models import Fallback, FallbackStatus
from gateway.fallbacks.promises import Promise
from gateway.fallbacks.services.claiming import NotSent, settle_not_sent
from gateway.fallbacks.services.composing import asked_again, compose_again
from gateway.notifications import storage
from gateway.notifications.acceptance import claim_for, insert_within_quota, new_notification
from gateway.notifications.change_errors import NotCancellable, NotificationBusy
from gateway.notifications.errors import NotificationNotFound
from gateway.notifications.models import Notification, NotificationContent
from gateway.notifications.services.changes import cancel_notification
from gateway.notifications.services.locking import Authority

log = structlog.get_logger(__name__)

# What nobody could send for so long comes too late to be of use.
GIVE_UP_AFTER = timedelta(hours=1)
# Before a fallback that was put off is due, it is asked whether it is still needed.
LAST_LOOK = timedelta(seconds=10)

# In these nobody has said that it arrived, and nobody is about to send it again.
_MISSED = frozenset({Status.SENT, Status.FAILED, Status.BOUNCED})


class Result(StrEnum):
    """What a look at a fallback came to; UNCHANGED where there was nothing to do."""

    SENT = "sent"
    NOT_SENT = "not_sent"
    POSTPONED = "postponed"
    UNCHANGED = "unchanged"


class _Missed(Exception):
    """It is not to be sent any more; the argument says why, None where somebody settled it."""

    def __init__(self, why: NotSent | None) -> None:
        super().__init__(why)
        self.why = why


def advance(fallback: Fallback) -> Result:
    """Send it, or say why not; later, where nobody can say now. Raises Django's database errors.

    The fallback comes with its notification, and that with organization and content.
    """
    if fallback.status == FallbackStatus.SENT:
        return _reconsider(fallback)
    if fallback.status != FallbackStatus.PENDING:
        return Result.UNCHANGED
    found = _try(fallback)
    if isinstance(found, Result):
        return found
    if not settle_not_sent(fallback.pk, found):
        return Result.UNCHANGED
    log.info("fallback not sent", notification=fallback.pk, reason=found.reason)
    return Result.NOT_SENT


def give_up(fallback: Fallback, why: NotSent) -> Result:
    """Settle what could not be sent for GIVE_UP_AFTER; before that it is tried again."""
    if datetime.now(UTC) - fallback.created_at < GIVE_UP_AFTER:
        return Result.POSTPONED
    return Result.NOT_SENT if settle_not_sent(fallback.pk, why) else Result.UNCHANGED


def _try(fallback: Fallback) -> Result | NotSent:
    now = datetime.now(UTC)
    parent = fallback.notification
    promise = _promise(parent)
    if promise is None:
        return NotSent("content_cleared")
    if not parent.organization.is_active:
        return NotSent("organization_inactive")
    if parent.expires_at is not None and parent.expires_at <= now:
        return NotSent("expired")
    asked = asked_again(parent, promise)
    if isinstance(asked, NotSent):
        return asked
    try:
        composed = compose_again(asked, parent, now)
        if isinstance(composed, NotSent):
            return composed
        child = new_notification(asked, composed, now)
        reservation = reservations.reserve(claim_for(asked, composed, child))
    except reservations.Capped:
        return NotSent("frequency_capped")
    except QuotaExceeded as error:
        return NotSent(error.code, error.message)
    except (ServiceUnavailable, RateLimitExceeded) as error:
        return give_up(fallback, NotSent(error.code, error.message))
    return _store(fallback, child, reservation)


def _promise(parent: Notification) -> Promise | None:
    """None where what it takes was cleared, or its user erased."""
    content: NotificationContent | None = getattr(parent, "content", None)
    if content is None or content.fallback is None:
        return None
    return msgspec.convert(content.fallback, Promise)


def _store(
    fallback: Fallback, child: storage.NewNotification, reservation: Reservation
) -> Result | NotSent:
    try:
        with transaction.atomic():
            _check_missed(fallback)
            if not insert_within_quota(child, reservation):
                raise AssertionError("a request_id of our own was taken")
            _settle_sent(fallback, child)
    except _Missed as missed:
        reservations.release(reservation)
        return missed.why or Result.UNCHANGED
    except QuotaExceeded as error:
        reservations.release(reservation)
        reservations.must_recount(reservation.claim)
        return NotSent(error.code, error.message)
    reservations.commit(reservation)
    log.info(
        "fallback sent",
        notification=fallback.pk,
        child=ids.format_id(ids.NOTIFICATION, child.id),
        channel=child.channel,
    )
    return Result.SENT


def _check_missed(fallback: Fallback) -> None:
    """Lock the notification; nobody moves it, erases or deletes it until we are done.

    Raises _Missed where it is not to be sent any more.
    """
    locked = Notification.objects.select_for_update(no_key=True).filter(pk=fallback.pk).first()
    if (
        locked is None
        or not Fallback.objects.filter(pk=fallback.pk, status=FallbackStatus.PENDING).exists()
    ):
        raise _Missed(None)
    if locked.status not in _MISSED:
        raise _Missed(NotSent(str(locked.status)))
    if not NotificationContent.objects.filter(pk=fallback.pk).exists():
        raise _Missed(NotSent("content_cleared"))


def _settle_sent(fallback: Fallback, child: storage.NewNotification) -> None:
    due = None
    if child.status is Status.SCHEDULED and child.scheduled_at is not None:
        due = child.scheduled_at - LAST_LOOK
    Fallback.objects.filter(pk=fallback.pk).update(
        status=FallbackStatus.SENT,
        child_id=ids.format_id(ids.NOTIFICATION, child.id),
        settled_at=child.created_at,
        due_at=due,
    )


def _reconsider(fallback: Fallback) -> Result:
    """One that quiet hours put off is taken back where a receipt has come after all."""
    parent, child = fallback.notification, fallback.child_id
    if child is not None and parent.status == Status.DELIVERED:
        try:
            cancel_notification(Authority(str(parent.organization_id)), child)
            log.info("fallback taken back", notification=fallback.pk, child=child)
        except NotificationBusy:
            return Result.POSTPONED
        except (NotCancellable, NotificationNotFound):
            log.info("fallback is under way", notification=fallback.pk, child=child)
    Fallback.objects.filter(pk=fallback.pk).update(due_at=None)
    return Result.UNCHANGED
