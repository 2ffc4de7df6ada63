"""Adding the noted changes to the rollups, and making the rollups anew."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg

from gateway.outbox.database import Connection

# Whoever adds up or makes anew holds this advisory lock: one at a time.
LOCK = 7_340_021_563

_KEY = "organization_id, hour, mode, channel, template_code, status, latency"

_FOLD = f"""
    WITH taken AS (
        DELETE FROM analytics_countchange WHERE id IN (
            SELECT id FROM analytics_countchange ORDER BY id LIMIT %(most)s
        )
        RETURNING *
    ), added AS (
        INSERT INTO analytics_hourlycount AS known ({_KEY}, count)
        SELECT {_KEY}, sum(change) FROM taken GROUP BY {_KEY} HAVING sum(change) <> 0
        ORDER BY {_KEY}
        ON CONFLICT ({_KEY}) DO UPDATE SET count = known.count + excluded.count
    )
    SELECT count(*) FROM taken
"""  # noqa: S608  our own columns
_SWEEP = "DELETE FROM analytics_hourlycount WHERE count = 0"
_PENDING = "SELECT count(*) FROM analytics_countchange"

_DAY = "organization_id = %(organization)s AND hour >= %(day)s AND hour < %(next)s"
_FORGET_CHANGES = f"DELETE FROM analytics_countchange WHERE {_DAY}"  # noqa: S608
_FORGET_COUNTS = f"DELETE FROM analytics_hourlycount WHERE {_DAY}"  # noqa: S608
_COUNT = f"""
    INSERT INTO analytics_hourlycount ({_KEY}, count)
    SELECT organization_id, date_trunc('hour', created_at, 'UTC'), mode, channel, template_code,
           status, analytics_latency(status, created_at, scheduled_at, delivered_at), count(*)
    FROM notifications_notification
    WHERE organization_id = %(organization)s
      AND created_at >= %(day)s AND created_at < %(next)s
    GROUP BY 1, 2, 3, 4, 5, 6, 7
"""  # noqa: S608
# The days there may be anything to count on, or anything counted that is no longer there.
_SPANS = """
    SELECT organization_id, min(at), max(at) FROM (
        SELECT id AS organization_id,
               (SELECT min(created_at) FROM notifications_notification WHERE organization_id = o.id)
        FROM organizations_organization o
        UNION ALL
        SELECT id,
               (SELECT max(created_at) FROM notifications_notification WHERE organization_id = o.id)
        FROM organizations_organization o
        UNION ALL
        SELECT organization_id, hour FROM analytics_hourlycount
        UNION ALL
        SELECT organization_id, hour FROM analytics_countchange
    ) AS found (organization_id, at)
    WHERE at IS NOT NULL GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """A rebuild on its way: `done` of `total` days, over all organizations."""

    organization: UUID
    day: datetime
    done: int
    total: int


def fold_changes(connection: Connection, *, most: int) -> int | None:
    """Add up to `most` changes to the rollups, the oldest first, and commit; how many it were.

    None where another process is at it. Raises psycopg.Error.
    """
    locked = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,)).fetchone()
    if locked is None or not locked[0]:
        connection.rollback()
        return None
    row = connection.execute(_FOLD, {"most": most}).fetchone()
    taken = int(row[0]) if row else 0
    if taken:
        connection.execute(_SWEEP)
    connection.commit()
    return taken


def count_pending(connection: Connection) -> int:
    """Changes that are not yet in the rollups. Raises psycopg.Error."""
    row = connection.execute(_PENDING).fetchone()
    connection.rollback()
    return int(row[0]) if row else 0


def rebuild(connection: Connection) -> Iterator[Progress]:
    """Count every organization's every day anew, each in a transaction of its own.

    Notifications may move meanwhile: what a day's count has seen is forgotten with it, what comes
    later is noted and added afterwards. Raises psycopg.Error; then, what was done stays right.
    """
    # Before any transaction: one that waited for it would see the database as of before.
    connection.autocommit = True
    connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
    try:
        spans = connection.execute(_SPANS).fetchall()
        days = [(one, day) for one, first, last in spans for day in _days(first, last)]
        connection.autocommit = False
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        for done, (organization, day) in enumerate(days, 1):
            _rebuild_day(connection, organization, day)
            yield Progress(organization, day, done, len(days))
    finally:
        connection.rollback()
        connection.isolation_level = None
        connection.autocommit = True
        connection.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))
        connection.autocommit = False


def _rebuild_day(connection: Connection, organization: UUID, day: datetime) -> None:
    values = {"organization": organization, "day": day, "next": day + timedelta(days=1)}
    for statement in (_FORGET_CHANGES, _FORGET_COUNTS, _COUNT):
        connection.execute(statement, values)
    connection.commit()


def _days(first: datetime, last: datetime) -> Iterator[datetime]:
    day = first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= last:
        yield day
        day += timedelta(days=1)
