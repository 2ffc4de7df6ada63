"""Ending notifications that no worker reported on; keeping dead letters of what deserves one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from carillon.contracts.ids import new_uuid
from carillon.contracts.status import MOVES, Status
from carillon.errors import Reason
from gateway.outbox.database import Connection

# What might succeed after somebody mends something. A rejected notification is somebody's will or
# protection (opted out, suppressed, blocked), an expired or a cancelled one is what its sender
# asked for: replaying those would be wrong, so they leave no dead letter.
DEAD_LETTERS: frozenset[Status] = frozenset({Status.FAILED, Status.BOUNCED})

_MOVES = [f"{current}>{new}" for current, targets in MOVES.items() for new in targets]

# One of several devices that took it in an earlier attempt is enough, whatever ends the last.
_END = """
    UPDATE notifications_notification n
    SET status = e.status, reason = e.reason, error_message = e.message, next_attempt_at = NULL,
        updated_at = %(at)s,
        delivered_at = CASE WHEN e.status = 'delivered' THEN %(at)s ELSE n.delivered_at END
    FROM (
        SELECT told.id,
               CASE WHEN device.took IS NULL THEN told.status ELSE device.took END AS status,
               CASE WHEN device.took IS NULL THEN told.reason ELSE '' END AS reason,
               CASE WHEN device.took IS NULL THEN told.message ELSE '' END AS message
        FROM unnest(
            %(ids)s::uuid[], %(statuses)s::text[], %(reasons)s::text[], %(messages)s::text[]
        ) AS told (id, status, reason, message)
        LEFT JOIN notifications_notificationcontent c ON c.notification_id = told.id
        LEFT JOIN LATERAL (
            SELECT min(each ->> 'outcome') AS took
            FROM jsonb_array_elements(coalesce(c.settled, '[]')) AS each
            WHERE each ->> 'outcome' IN ('delivered', 'sent')
        ) AS device ON true
    ) AS e
    WHERE n.id = e.id AND n.status || '>' || e.status = ANY(%(moves)s)
    RETURNING n.id, n.organization_id, n.status, n.reason, n.error_message, n.attempt
"""
# After a replay that failed again, the newer failure is the one to look at.
_KEEP = """
    INSERT INTO deliveries_deadletter
        (id, notification_id, organization_id, reason, error_message, attempts, created_at)
    SELECT *, %s FROM unnest(
        %s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::smallint[]
    )
    ON CONFLICT (notification_id) DO UPDATE
    SET reason = excluded.reason, error_message = excluded.error_message,
        attempts = excluded.attempts, created_at = excluded.created_at, replayed_at = NULL
"""


@dataclass(frozen=True, slots=True)
class Ending:
    """An end that was decided here: its status, and why."""

    notification: UUID
    status: Status
    reason: Reason
    error_message: str


@dataclass(frozen=True, slots=True)
class DeadLetterEntry:
    """What a dead letter says."""

    notification: UUID
    organization: UUID
    reason: str
    error_message: str
    attempts: int


def end_undelivered(connection: Connection, endings: Sequence[Ending], *, at: datetime) -> int:
    """End each notification where the state machine allows it; answers how many it were.

    Runs in the caller's transaction, which must hold their locks. Raises psycopg.Error.
    """
    ended = connection.execute(
        _END,
        {
            "at": at,
            "ids": [ending.notification for ending in endings],
            "statuses": [ending.status.value for ending in endings],
            "reasons": [ending.reason.value for ending in endings],
            "messages": [ending.error_message for ending in endings],
            "moves": _MOVES,
        },
    ).fetchall()
    keep_dead_letters(
        connection,
        [
            DeadLetterEntry(id_, organization, reason, message, attempts)
            for id_, organization, status, reason, message, attempts in ended
            if Status(status) in DEAD_LETTERS
        ],
        at=at,
    )
    return len(ended)


def keep_dead_letters(
    connection: Connection, entries: Sequence[DeadLetterEntry], *, at: datetime
) -> None:
    """Insert or renew dead letters, in the caller's transaction. Raises psycopg.Error."""
    if entries:
        connection.execute(
            _KEEP,
            (
                at,
                [new_uuid() for _ in entries],
                [entry.notification for entry in entries],
                [entry.organization for entry in entries],
                [entry.reason for entry in entries],
                [entry.error_message for entry in entries],
                [entry.attempts for entry in entries],
            ),
        )
