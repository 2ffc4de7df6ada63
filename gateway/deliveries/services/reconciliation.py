"""Resolving what is stuck: handed to RabbitMQ long ago, and no event ever came.

Nothing in normal operation leads here. A job or an event can be lost with a broker's disk, by a
purged queue, or by an operator; a database that was restored from a backup may know less than the
workers do.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import DeliveryPolicy
from carillon.contracts.status import Status
from carillon.errors import Reason
from gateway.deliveries.config import ReconcileSettings
from gateway.deliveries.services import batch_sql
from gateway.deliveries.services.batch_sql import RetryRow
from gateway.deliveries.services.endings import Ending, end_undelivered
from gateway.outbox.database import Connection
from gateway.outbox.ordering import outbox_priority

# One that may be sent once at most is not put into the queue a second time, whatever the worker
# remembers: it waits until it is given up.
_STUCK = """
    SELECT id, attempt, lane, priority, %(now)s::timestamptz,
           coalesce(queued_at, updated_at) <= %(give_up)s
    FROM notifications_notification
    WHERE status IN ('queued', 'processing') AND updated_at <= %(stuck)s
      AND (delivery = %(at_least_once)s OR coalesce(queued_at, updated_at) <= %(give_up)s)
    ORDER BY updated_at
    LIMIT %(most)s
    FOR NO KEY UPDATE SKIP LOCKED
"""
# Whose row in the outbox, the promise itself, is gone. Reads the whole table.
_FORGOTTEN = """
    SELECT n.id, n.attempt, n.lane, n.priority,
           greatest(%(now)s::timestamptz, CASE n.status
               WHEN 'scheduled' THEN n.scheduled_at WHEN 'retrying' THEN n.next_attempt_at
           END),
           false
    FROM notifications_notification n
    WHERE n.status IN ('scheduled', 'accepted', 'retrying')
      AND NOT EXISTS (SELECT FROM outbox_outboxmessage o WHERE o.notification_id = n.id)
    LIMIT %(most)s
    FOR NO KEY UPDATE OF n SKIP LOCKED
"""
_TOUCH = "UPDATE notifications_notification SET updated_at = %s WHERE id = ANY(%s)"
UNKNOWN = "No word came back about this attempt; whether it was delivered is unknown."


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many were put into the outbox again, and how many were given up."""

    requeued: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """All that were resolved."""
        return self.requeued + self.unknown

    def __add__(self, other: "Reconciled") -> "Reconciled":
        return Reconciled(self.requeued + other.requeued, self.unknown + other.unknown)


def resolve_stuck(
    connection: Connection, settings: ReconcileSettings, *, now: datetime
) -> Reconciled:
    """Resolve up to `settings.most` stuck notifications, the longest stuck first, and commit.

    Younger than `give_up_after` they are published again, as the same attempt: a worker that has
    done it repeats its event, one that has not delivers. Older, they fail as `outcome_unknown`.
    Several processes may run this at once. Raises psycopg.Error.
    """
    found = connection.execute(
        _STUCK,
        {
            "now": now,
            "stuck": now - timedelta(seconds=settings.stuck_after),
            "give_up": now - timedelta(seconds=settings.give_up_after),
            "at_least_once": DeliveryPolicy.AT_LEAST_ONCE.value,
            "most": settings.most,
        },
    ).fetchall()
    return _resolve(connection, found, now)


def restore_promises(
    connection: Connection, settings: ReconcileSettings, *, now: datetime
) -> Reconciled:
    """Give up to `settings.most` waiting notifications the outbox row that they lack; commit.

    Only somebody's hand in the database can have deleted it. Raises psycopg.Error.
    """
    found = connection.execute(_FORGOTTEN, {"now": now, "most": settings.most}).fetchall()
    return _resolve(connection, found, now)


def _resolve(
    connection: Connection,
    found: list[tuple[UUID, int, str, int, datetime, bool]],
    now: datetime,
) -> Reconciled:
    again = [
        RetryRow(id_, attempt, outbox_priority(Lane(lane), priority), due)
        for id_, attempt, lane, priority, due, give_up in found
        if not give_up
    ]
    lost = [
        Ending(id_, Status.FAILED, Reason.OUTCOME_UNKNOWN, UNKNOWN)
        for id_, _, _, _, _, give_up in found
        if give_up
    ]
    if again:
        connection.execute(batch_sql.RETRY, (batch_sql.rows(again),))
        connection.execute(_TOUCH, (now, [row.notification_id for row in again]))
    if lost:
        end_undelivered(connection, lost, at=now)
    connection.commit()
    return Reconciled(len(again), len(lost))
