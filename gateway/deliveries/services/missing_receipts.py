"""Another provider for what was sent and never received, as far as its receipt would say.

The one way back from `sent`, and not one of the state machine's: no event leads here, so that no
late or repeated one can. A receipt that comes after all, of either provider, ends it as ever, and
takes the waiting row out of the outbox.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import Outcome
from carillon.contracts.status import Status
from gateway.deliveries.services import batch_sql
from gateway.deliveries.services.batch_sql import RetryRow
from gateway.outbox.database import Connection
from gateway.outbox.ordering import outbox_priority

BATCH = 500
MESSAGE = "No receipt came in time; another provider sends it."

_DUE = """
    SELECT n.id, n.attempt, n.lane, n.priority, n.channel, n.status, a.outcome, a.provider,
           n.expires_at IS NOT NULL AND n.expires_at <= %(now)s,
           EXISTS (
               SELECT FROM notifications_notificationcontent c WHERE c.notification_id = n.id
           )
    FROM notifications_notification n
    LEFT JOIN deliveries_deliveryattempt a ON a.notification_id = n.id AND a.number = n.attempt
    WHERE n.receipt_due_at <= %(now)s
    ORDER BY n.receipt_due_at
    LIMIT %(most)s
    FOR NO KEY UPDATE OF n SKIP LOCKED
"""
# Once: what the other provider sends is not waited for again.
_WAIT_NO_MORE = """
    UPDATE notifications_notification SET receipt_due_at = NULL, expect_receipt_within = 0
    WHERE id = ANY(%s)
"""
_SEND_AGAIN = """
    UPDATE notifications_notification
    SET status = 'retrying', attempt = attempt + 1, reason = 'timed_out', error_message = %s,
        next_attempt_at = %s, updated_at = %s
    WHERE id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Missing:
    """How many go to another provider, by channel; how many stay as they are."""

    sent_again: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """All that were looked at."""
        return len(self.sent_again) + len(self.left)


@dataclass(frozen=True, slots=True)
class _Due:
    id: UUID
    attempt: int
    lane: str
    priority: int
    channel: str
    status: str
    outcome: str | None
    provider: str | None
    has_expired: bool
    has_content: bool

    def may_go_elsewhere(self, providers: Sequence[str]) -> bool:
        """Whether it still waits, can still be sent, and somebody else may do so."""
        waits = self.status == Status.SENT and self.outcome == Outcome.SENT
        others = set(providers) - {self.provider}
        return waits and self.has_content and not self.has_expired and bool(others)


def send_elsewhere(
    connection: Connection,
    providers: Mapping[str, Sequence[str]],
    *,
    now: datetime,
    most: int = BATCH,
) -> Missing:
    """Put what waited too long for a receipt into the outbox, as its next attempt; commit.

    `providers` are those of each channel. Several processes may do so. Raises psycopg.Error.
    """
    rows = connection.execute(_DUE, {"now": now, "most": most}).fetchall()
    due = [_Due(*row) for row in rows]
    again = [each for each in due if each.may_go_elsewhere(providers.get(each.channel, ()))]
    if due:
        connection.execute(_WAIT_NO_MORE, ([each.id for each in due],))
    if again:
        connection.execute(_SEND_AGAIN, (MESSAGE, now, now, [each.id for each in again]))
        waiting = [
            RetryRow(
                each.id, each.attempt + 1, outbox_priority(Lane(each.lane), each.priority), now
            )
            for each in again
        ]
        connection.execute(batch_sql.RETRY, (batch_sql.rows(waiting),))
    connection.commit()
    ids = {each.id for each in again}
    return Missing(
        tuple(each.channel for each in again),
        tuple(each.channel for each in due if each.id not in ids),
    )
