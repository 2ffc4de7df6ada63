"""Clearing what ended long ago."""

from datetime import datetime
from uuid import UUID

from carillon.contracts.status import ENDS, Status
from gateway.outbox.database import Connection
from gateway.retention.config import RetentionSettings
from gateway.retention.services.clearing import clear

# After `sent` comes a receipt or nothing: what never got one has ended too, as far as anyone knows.
_OVER = [status.value for status in (*ENDS, Status.SENT)]

# Ids sort by time: the oldest contents are the first of the primary key, and what is younger than
# the bound is not looked at. Nothing changes a notification after its end.
_OLD = """
    SELECT n.id
    FROM notifications_notificationcontent c
    JOIN notifications_notification n ON n.id = c.notification_id
    WHERE c.notification_id < %(bound)s AND n.status = ANY(%(over)s) AND n.updated_at <= %(cutoff)s
    ORDER BY c.notification_id
    LIMIT %(most)s
    FOR NO KEY UPDATE OF n SKIP LOCKED
"""


def clear_expired(connection: Connection, settings: RetentionSettings, *, now: datetime) -> int:
    """Clear one batch of what ended longer ago than `settings.age`, and commit; how many it were.

    What waits for its time or is under way stays, however old. Several processes may do this at
    once. Raises psycopg.Error.
    """
    cutoff = now - settings.age
    rows = connection.execute(
        _OLD,
        {
            "bound": _first_id_of(cutoff),
            "over": _OVER,
            "cutoff": cutoff,
            "most": settings.batch,
        },
    ).fetchall()
    cleared = clear(connection, [row[0] for row in rows]) if rows else 0
    connection.commit()
    return cleared


def _first_id_of(time: datetime) -> UUID:
    """The least UUIDv7 of that moment: 48 bits of milliseconds (RFC 9562)."""
    return UUID(int=int(time.timestamp() * 1_000) << 80)
