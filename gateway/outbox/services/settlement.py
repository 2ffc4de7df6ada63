"""Settling a window: what became of each row, in the transaction that locked it."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from carillon.broker.messages import PublishOutcome, PublishResult
from carillon.contracts.status import Status, origins_of
from carillon.errors import Reason
from gateway.deliveries.services.endings import Ending, end_undelivered
from gateway.outbox.database import Connection
from gateway.outbox.services.window import Window

# An event may have overtaken: what is past `queued` already, or at another attempt, stays. Ids
# travel in binary (%b), which costs either side less than to write and read them.
_QUEUED = """
    WITH published AS (
        DELETE FROM outbox_outboxmessage
        WHERE notification_id = ANY(%(ids)b)
        RETURNING notification_id, attempt
    )
    UPDATE notifications_notification n
    SET status = %(queued)s, queued_at = %(at)s, updated_at = %(at)s, next_attempt_at = NULL
    FROM published p
    WHERE n.id = p.notification_id AND n.attempt = p.attempt AND n.status = ANY(%(origins)s)
"""
_FORGET = "DELETE FROM outbox_outboxmessage WHERE notification_id = ANY(%b)"
_POSTPONE = """
    UPDATE outbox_outboxmessage o SET available_at = later.at
    FROM unnest(%s::uuid[], %s::timestamptz[]) AS later (id, at)
    WHERE o.notification_id = later.id
"""
_ORIGINS = [status.value for status in origins_of(Status.QUEUED)]


def settle_window(
    connection: Connection,
    window: Window,
    results: Sequence[PublishResult],
    *,
    returned_delay: float,
) -> Counter[str]:
    """Write what became of `window` and commit; `results` are those of its messages, in order.

    Confirmed rows are deleted and their notifications marked queued. Returned ones (no queue took
    them) are due again after about `returned_delay` seconds, so that they do not spin. All others
    stay due: an unknown outcome is published again, and the worker dedupes.

    Answers how many rows had which outcome. Raises psycopg.Error.
    """
    by_outcome: dict[PublishOutcome, list[UUID]] = {}
    for notification, result in zip(window.notifications, results, strict=True):
        by_outcome.setdefault(result.outcome, []).append(notification)
    gone = window.expired + window.obsolete + [row[0] for row in window.unusable]
    with connection.pipeline():
        _mark_queued(connection, by_outcome.get(PublishOutcome.CONFIRMED, []), window.taken_at)
        if returned := by_outcome.get(PublishOutcome.RETURNED):
            _postpone(connection, returned, window.taken_at, returned_delay)
        if gone:
            connection.execute(_FORGET, (gone,))
    if window.expired or window.unusable:
        end_undelivered(connection, _endings(window), at=window.taken_at)
    connection.commit()
    return Counter(
        {
            **{outcome.value: len(found) for outcome, found in by_outcome.items()},
            "expired": len(window.expired),
            "obsolete": len(window.obsolete),
            "unusable": len(window.unusable),
        }
    )


def _mark_queued(connection: Connection, notifications: list[UUID], at: datetime) -> None:
    if notifications:
        connection.execute(
            _QUEUED,
            {
                "ids": notifications,
                "queued": Status.QUEUED.value,
                "at": at,
                "origins": _ORIGINS,
            },
        )


def _postpone(
    connection: Connection, notifications: list[UUID], now: datetime, delay: float
) -> None:
    times = [
        now + timedelta(seconds=delay * random.uniform(0.75, 1.25))  # noqa: S311
        for _ in notifications
    ]
    connection.execute(_POSTPONE, (notifications, times))


def _endings(window: Window) -> list[Ending]:
    return [
        *(Ending(id_, Status.EXPIRED, Reason.EXPIRED, "") for id_ in window.expired),
        *(Ending(id_, Status.FAILED, reason, text) for id_, reason, text in window.unusable),
    ]
