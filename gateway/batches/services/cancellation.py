"""Cancelling a batch: what the relay has not taken yet is taken back."""

from datetime import UTC, datetime
from uuid import UUID

import structlog
from django.db import connection

from carillon.contracts import ids
from carillon.contracts.messages import Mode
from carillon.contracts.status import Status, origins_of
from carillon.errors import Reason
from gateway.batches.models import Batch
from gateway.batches.selectors import Progress, get_batch, progress_of
from gateway.notifications.change_errors import LiveKeyRequired
from gateway.notifications.services.locking import Authority, changing
from gateway.notifications.services.returning import give_back_unsent

log = structlog.get_logger(__name__)

_CANCEL = """
    WITH found AS MATERIALIZED (
        {find}
    ), forgotten AS (
        DELETE FROM outbox_outboxmessage o USING found WHERE o.notification_id = found.id
    )
    UPDATE notifications_notification n
    SET status = %(cancelled)s, reason = %(reason)s, error_message = '', next_attempt_at = NULL,
        updated_at = %(now)s
    FROM found WHERE n.id = found.id
    RETURNING n.id
"""

# All that nobody holds at this moment, whatever its order: this waits for nobody, so the relay,
# which takes window after window, cannot stay ahead of it.
_FREE = """
        SELECT n.id FROM notifications_notification n
        JOIN outbox_outboxmessage o ON o.notification_id = n.id
        WHERE n.organization_id = %(organization)s AND n.batch_id = %(batch)s
          AND n.status = ANY(%(cancellable)s)
        FOR NO KEY UPDATE OF n SKIP LOCKED
        FOR UPDATE OF o SKIP LOCKED
"""
# Then what was held: in the order of ids, as everybody who waits. What the relay published in the
# meantime is looked at anew once its lock is free, and is queued by then.
_HELD = """
        SELECT n.id FROM notifications_notification n
        WHERE n.organization_id = %(organization)s AND n.batch_id = %(batch)s
          AND n.status = ANY(%(cancellable)s)
        ORDER BY n.id
        FOR NO KEY UPDATE
"""
_CANCELLABLE = [status.value for status in origins_of(Status.CANCELLED)]


def cancel_batch(authority: Authority, batch_id: str) -> tuple[Batch, Progress]:
    """Take back what is not queued yet, and say where all of it is; safe to repeat.

    Two statements, each with its transaction. Raises BatchNotFound, LiveKeyRequired or
    NotificationBusy: then a part may be cancelled, and a repeat cancels the rest.
    """
    batch = get_batch(authority.organization_id, batch_id)
    if authority.test_only and batch.mode != Mode.TEST:
        raise LiveKeyRequired
    now = datetime.now(UTC)
    for find in (_FREE, _HELD):
        with changing():
            cancelled = _cancel(batch, find, now)
            if cancelled:
                Batch.objects.filter(pk=batch.pk, cancelled_at=None).update(cancelled_at=now)
        give_back_unsent(batch.organization_id, cancelled)
        log.info("notifications of a batch cancelled", batch=batch.pk, notifications=len(cancelled))
    batch.refresh_from_db(fields=("cancelled_at",))
    return batch, progress_of(batch)


def _cancel(batch: Batch, find: str, now: datetime) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            _CANCEL.format(find=find),
            {
                "organization": ids.parse_id(ids.ORGANIZATION, batch.organization_id),
                "batch": ids.parse_id(ids.BATCH, batch.pk),
                "cancellable": _CANCELLABLE,
                "cancelled": Status.CANCELLED.value,
                "reason": Reason.CANCELLED.value,
                "now": now,
            },
        )
        return [row[0] for row in cursor.fetchall()]
