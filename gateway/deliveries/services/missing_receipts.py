"""What becomes of what did not arrive, or of which nobody said so: another channel, or provider.

Where its template has a fallback, that is promised here, once for each notification, and sent by
gateway/fallbacks. Where it has none, what was sent and never received, as far as its receipt would
say, goes to another provider of its channel. That is the one way back from `sent`, and not one of
the state machine's: no event leads here, so that no late or repeated one can. A receipt that comes
after all, of either provider, ends it as ever, and takes the waiting row out of the outbox.
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
from gateway.fallbacks.models import NO_RECEIPT
from gateway.outbox.database import Connection
from gateway.outbox.ordering import outbox_priority

BATCH = 500
MESSAGE = "No receipt came in time; another provider sends it."

_DUE = """
    SELECT n.id, n.attempt, n.lane, n.priority, n.channel, n.status, n.reason, a.outcome,
           a.provider, n.expires_at IS NOT NULL AND n.expires_at <= %(now)s,
           c.notification_id IS NOT NULL, c.fallback ->> 'channel', c.fallback ->> 'template_code',
           ARRAY(
               SELECT p.provider FROM provider_accounts_provideraccount p
               WHERE p.organization_id = n.organization_id AND p.channel = n.channel AND p.is_active
           ),
           n.channel = ANY(o.platform_stand_ins)
    FROM notifications_notification n
    JOIN organizations_organization o ON o.id = n.organization_id
    LEFT JOIN deliveries_deliveryattempt a ON a.notification_id = n.id AND a.number = n.attempt
    LEFT JOIN notifications_notificationcontent c ON c.notification_id = n.id
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
# Once: a notification that was replayed, and failed again, has fallen back already.
_PROMISE = """
    INSERT INTO fallbacks_fallback
        (notification_id, channel, template_code, cause, status, reason, message, created_at,
         due_at)
    SELECT id, channel, code, cause, 'pending', '', '', %s, %s
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[]) AS new (id, channel, code, cause)
    ON CONFLICT (notification_id) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Missing:
    """How many go to another provider, by channel; how many fall back; how many stay."""

    sent_again: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    fallen_back: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """All that were looked at."""
        return len(self.sent_again) + len(self.left) + len(self.fallen_back)


@dataclass(frozen=True, slots=True)
class _Due:
    id: UUID
    attempt: int
    lane: str
    priority: int
    channel: str
    status: str
    reason: str
    outcome: str | None
    provider: str | None
    has_expired: bool
    has_content: bool
    fallback: str | None
    fallback_code: str | None
    # Of the organization's own accounts on the channel, and whether the platform's may follow them.
    own: list[str]
    stands_in: bool

    @property
    def waits(self) -> bool:
        """Whether nothing but a provider's acceptance is known of it."""
        return self.status == Status.SENT and self.outcome == Outcome.SENT

    @property
    def falls_back(self) -> bool:
        """Whether another channel is to say it."""
        failed = self.status in {Status.FAILED, Status.BOUNCED}
        return self.fallback is not None and (self.waits or failed)

    def may_go_elsewhere(self, providers: Sequence[str]) -> bool:
        """Whether it still waits, can still be sent, and somebody else may do so."""
        platforms = set(providers) if self.stands_in or not self.own else set()
        others = {*self.own, *platforms} - {self.provider}
        return self.waits and self.has_content and not self.has_expired and bool(others)


def send_elsewhere(
    connection: Connection,
    providers: Mapping[str, Sequence[str]],
    *,
    now: datetime,
    most: int = BATCH,
) -> Missing:
    """Promise the fallbacks; put the others into the outbox, as their next attempt; commit.

    `providers` are the platform's of each channel. Several processes may do so. Raises
    psycopg.Error.
    """
    rows = connection.execute(_DUE, {"now": now, "most": most}).fetchall()
    due = [_Due(*row) for row in rows]
    fallen = [each for each in due if each.falls_back]
    rest = [each for each in due if not each.falls_back]
    again = [each for each in rest if each.may_go_elsewhere(providers.get(each.channel, ()))]
    if due:
        connection.execute(_WAIT_NO_MORE, ([each.id for each in due],))
    if fallen:
        _promise(connection, fallen, now)
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
        tuple(each.channel for each in rest if each.id not in ids),
        tuple(each.channel for each in fallen),
    )


def _promise(connection: Connection, fallen: Sequence[_Due], now: datetime) -> None:
    connection.execute(
        _PROMISE,
        (
            now,
            now,
            [each.id for each in fallen],
            [each.fallback for each in fallen],
            [each.fallback_code for each in fallen],
            [NO_RECEIPT if each.waits else each.reason for each in fallen],
        ),
    )
