"""Erasing a user: what is about them is cleared, what is still to be sent to them is cancelled."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from carillon.contracts import ids
from carillon.contracts.status import Status, origins_of
from carillon.errors import Reason
from gateway.notifications.services.returning import give_back_unsent
from gateway.outbox.database import Connection
from gateway.retention.services.clearing import clear

BATCH = 500
# Longer than any retry, or receipt of a message that was under way.
REMEMBERED = timedelta(days=7)

_WAITING = [status.value for status in origins_of(Status.CANCELLED)]

# In the order of their ids, as everybody locks them.
_LEFT = """
    SELECT n.id FROM notifications_notification n
    WHERE n.organization_id = %(organization)s AND n.user_id = %(user)s AND (
        n.status = ANY(%(waiting)s) OR n.error_message <> '' OR n.metadata <> '{}'
        OR EXISTS (
            SELECT FROM notifications_notificationcontent c WHERE c.notification_id = n.id
        ) OR EXISTS (
            SELECT FROM deliveries_deliveryattempt a
            WHERE a.notification_id = n.id AND a.error_message <> ''
        )
    )
    ORDER BY n.id LIMIT %(most)s
    FOR NO KEY UPDATE OF n
"""
_CANCEL = """
    WITH cancelled AS (
        UPDATE notifications_notification
        SET status = %(cancelled)s, reason = %(reason)s, next_attempt_at = NULL,
            error_message = '', updated_at = %(now)s
        WHERE id = ANY(%(ids)s) AND status = ANY(%(waiting)s)
        RETURNING id
    ), forgotten AS (
        DELETE FROM outbox_outboxmessage o USING cancelled WHERE o.notification_id = cancelled.id
    )
    SELECT id FROM cancelled
"""
# The client's own words about a notification, which may name the person.
_FORGET_METADATA = """
    UPDATE notifications_notification SET metadata = '{}'
    WHERE id = ANY(%s) AND metadata <> '{}'
"""
_REMEMBER = """
    INSERT INTO retention_eraseduser (organization_id, user_id, erased_at)
    VALUES (%s, %s, %s)
    ON CONFLICT (organization_id, user_id) DO UPDATE SET erased_at = excluded.erased_at
"""
_REMEMBERED = "SELECT organization_id, user_id FROM retention_eraseduser ORDER BY id"
_FORGET = "DELETE FROM retention_eraseduser WHERE erased_at <= %s"


@dataclass(frozen=True, slots=True)
class Erased:
    """How many were cancelled, and of how many the content was cleared."""

    cancelled: int = 0
    cleared: int = 0

    def __add__(self, other: "Erased") -> "Erased":
        return Erased(self.cancelled + other.cancelled, self.cleared + other.cleared)


def erase_user(connection: Connection, organization: UUID, user_id: str) -> Erased:
    """Erase what there is of a user, batch by batch, and remember to do so again. Repeatable.

    What a worker has in its hands may still arrive; no further attempt is made. Waits for whoever
    holds a notification, up to the session's lock_timeout. Raises psycopg.Error; what was done
    until then stays done.
    """
    connection.execute(_REMEMBER, (organization, user_id, datetime.now(UTC)))
    connection.commit()
    return _erase(connection, organization, user_id)


def erase_again(connection: Connection, *, now: datetime) -> Erased:
    """Erase what came in about users after they were erased. Raises psycopg.Error."""
    connection.execute(_FORGET, (now - REMEMBERED,))
    erased = connection.execute(_REMEMBERED).fetchall()
    connection.commit()
    done = Erased()
    for organization, user_id in erased:
        done += _erase(connection, organization, user_id)
    return done


def _erase(connection: Connection, organization: UUID, user_id: str) -> Erased:
    done = Erased()
    while True:
        rows = connection.execute(
            _LEFT,
            {
                "organization": organization,
                "user": user_id,
                "waiting": _WAITING,
                "most": BATCH,
            },
        ).fetchall()
        found = [row[0] for row in rows]
        cancelled: list[UUID] = []
        if found:
            cancelled = _cancel(connection, found)
            done += Erased(len(cancelled), clear(connection, found))
            connection.execute(_FORGET_METADATA, (found,))
        connection.commit()
        give_back_unsent(ids.format_id(ids.ORGANIZATION, organization), cancelled)
        if len(found) < BATCH:
            return done


def _cancel(connection: Connection, notifications: list[UUID]) -> list[UUID]:
    rows = connection.execute(
        _CANCEL,
        {
            "ids": notifications,
            "waiting": _WAITING,
            "cancelled": Status.CANCELLED.value,
            "reason": Reason.USER_DELETED.value,
            "now": datetime.now(UTC),
        },
    ).fetchall()
    return [row[0] for row in rows]
