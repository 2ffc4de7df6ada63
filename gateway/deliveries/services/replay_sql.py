"""The statements of a replay; one puts back any number of failed notifications."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db import connection

from carillon.contracts.lanes import PRIORITY_MAX, PRIORITY_MIN, Lane
from carillon.contracts.messages import Address
from gateway.deliveries.services.endings import DEAD_LETTERS
from gateway.deliveries.services.replay_decisions import Decision
from gateway.outbox.ordering import outbox_priority

_PRIORITIES = ", ".join(
    f"('{lane.value}', {priority}, {outbox_priority(lane, priority)})"
    for lane in Lane
    for priority in range(PRIORITY_MIN, PRIORITY_MAX + 1)
)

# Locked in one go and looked at anew: what another request has replayed, what an event has moved
# and what is being changed at this moment is left out. The urgent come first.
_PUT_BACK = f"""
    WITH decided AS (
        SELECT * FROM unnest(%(ids)s::uuid[], %(refusals)s::text[]) AS decided (id, refusal)
    ), locked AS MATERIALIZED (
        SELECT n.id, n.attempt, p.outbox_priority, d.id AS letter, decided.refusal
        FROM decided
        JOIN notifications_notification n ON n.id = decided.id
        JOIN deliveries_deadletter d ON d.notification_id = n.id
        JOIN (VALUES {_PRIORITIES}) AS p (lane, priority, outbox_priority)
            ON p.lane = n.lane AND p.priority = n.priority
        WHERE n.status = ANY(%(failed)s) AND d.replayed_at IS NULL
          AND (n.expires_at IS NULL OR n.expires_at > %(now)s)
          AND EXISTS (
              SELECT FROM notifications_notificationcontent c WHERE c.notification_id = n.id
          )
        FOR NO KEY UPDATE OF n, d SKIP LOCKED
    ), moved AS (
        UPDATE notifications_notification n
        SET status = CASE WHEN l.refusal = '' THEN 'accepted' ELSE 'rejected' END,
            reason = l.refusal, error_message = '', next_attempt_at = NULL, updated_at = %(now)s,
            attempt = CASE WHEN l.refusal = '' THEN n.attempt + 1 ELSE n.attempt END,
            sent_at = CASE WHEN l.refusal = '' THEN NULL ELSE n.sent_at END
        FROM locked l WHERE n.id = l.id
    ), replayed AS (
        UPDATE deliveries_deadletter d SET replayed_at = %(now)s
        FROM locked l WHERE d.id = l.letter
    ), remembered AS (
        INSERT INTO deliveries_replay (notification_id, attempt, at)
        SELECT l.id, l.attempt + 1, %(now)s FROM locked l WHERE l.refusal = ''
        ON CONFLICT (notification_id, attempt) DO NOTHING
    ), redirected AS (
        UPDATE notifications_notificationcontent c
        SET addresses = coalesce(today.addresses, c.addresses), settled = NULL
        FROM locked l
        LEFT JOIN json_to_recordset(%(addresses)s::json) AS today (id uuid, addresses jsonb)
            ON today.id = l.id
        WHERE c.notification_id = l.id
          AND (c.addresses <> today.addresses OR c.settled IS NOT NULL)
    ), promised AS (
        INSERT INTO outbox_outboxmessage (notification_id, attempt, priority, available_at)
        SELECT l.id, l.attempt + 1, l.outbox_priority,
               %(start)s::timestamptz + make_interval(secs => %(spacing)s)
                   * (row_number() OVER (ORDER BY l.outbox_priority DESC, l.letter) - 1)
        FROM locked l WHERE l.refusal = ''
        ON CONFLICT (notification_id) DO UPDATE
        SET attempt = excluded.attempt, priority = excluded.priority,
            available_at = excluded.available_at
        RETURNING available_at
    )
    SELECT (SELECT count(*) FROM promised),
           (SELECT count(*) FROM locked WHERE refusal <> ''),
           (SELECT max(available_at) FROM promised)
"""  # noqa: S608  our own enumeration's values

# Replays that wait for the relay. None was decided longer ago than the horizon, because none is
# put off beyond it.
_WAITING = """
    SELECT count(*), max(o.available_at)
    FROM deliveries_deadletter d
    JOIN notifications_notification n ON n.id = d.notification_id AND n.status = 'accepted'
    JOIN outbox_outboxmessage o ON o.notification_id = d.notification_id
    WHERE d.organization_id = %s AND d.replayed_at > %s
"""
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"

# How far into the future replays are spread.
HORIZON = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PutBack:
    """How many will be sent again, how many were rejected instead, and when the last is due."""

    accepted: int
    rejected: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Replays of an organization that the relay has not taken yet, and when the last is due."""

    count: int
    until: datetime | None


class _Redirected(msgspec.Struct, frozen=True):
    """A row of the addresses that are no longer those stored."""

    id: UUID
    addresses: tuple[Address, ...]


def put_back(
    decisions: Sequence[Decision],
    *,
    now: datetime,
    start: datetime,
    spacing: timedelta = timedelta(0),
) -> PutBack:
    """Accept the failed notifications again, or reject what must not be sent any more.

    The first is due at `start`, each further one `spacing` later. Runs in the caller's
    transaction. Raises Django's database errors.
    """
    redirected = [
        _Redirected(each.notification, each.addresses)
        for each in decisions
        if each.addresses is not None
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _PUT_BACK,
            {
                "ids": [each.notification for each in decisions],
                "refusals": [each.refusal for each in decisions],
                "addresses": msgspec.json.encode(redirected).decode(),
                "failed": [status.value for status in DEAD_LETTERS],
                "now": now,
                "start": start,
                "spacing": spacing.total_seconds(),
            },
        )
        return PutBack(*cursor.fetchone())


def waiting_replays(organization: UUID, *, now: datetime) -> Waiting:
    """What is still to be taken of earlier replays."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, (organization, now - HORIZON))
        return Waiting(*cursor.fetchone())


def one_replay_at_a_time(organization: UUID) -> None:
    """Let no other replay by filter of this organization place its rows until we have ours."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME, (f"replay:{organization.hex}",))
