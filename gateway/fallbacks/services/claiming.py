"""Taking what is due, and writing what became of it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from carillon.contracts import ids
from gateway.fallbacks.models import Fallback, FallbackStatus
from gateway.outbox.database import Connection

TOGETHER = 50
MESSAGE_CHARACTERS = 500

# Claimed by being put off: no lock is held while the services are asked, and whoever dies on the
# way has it done by another. The wait doubles from 15 s to a minute.
_CLAIM = """
    UPDATE fallbacks_fallback claimed
    SET tries = least(claimed.tries + 1, 30000),
        due_at = now() + least(60, 15 * power(2, least(claimed.tries, 3))) * interval '1 second'
    FROM (
        SELECT notification_id FROM fallbacks_fallback
        WHERE due_at <= now() ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
    ) AS due
    WHERE claimed.notification_id = due.notification_id
    RETURNING claimed.notification_id
"""


@dataclass(frozen=True, slots=True)
class NotSent:
    """Why a fallback is not sent: a code, and words for people."""

    reason: str
    message: str = ""


def claim_due(connection: Connection) -> list[str]:
    """Up to TOGETHER notifications whose fallback is due, and now ours. Raises psycopg.Error."""
    rows = connection.execute(_CLAIM, (TOGETHER,)).fetchall()
    connection.commit()
    return [ids.format_id(ids.NOTIFICATION, row[0]) for row in rows]


def settle_not_sent(notification_id: str, why: NotSent) -> bool:
    """False where somebody else has settled it. Raises Django's database errors."""
    pending = Fallback.objects.filter(pk=notification_id, status=FallbackStatus.PENDING)
    return bool(
        pending.update(
            status=FallbackStatus.NOT_SENT,
            reason=why.reason,
            message=why.message[:MESSAGE_CHARACTERS],
            settled_at=datetime.now(UTC),
            due_at=None,
        )
    )
