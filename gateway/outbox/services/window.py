"""Taking a window: the rows that are due, most urgent first, locked for their publisher."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import NamedTuple
from uuid import UUID

import msgspec
from psycopg import sql

from carillon.broker import topology
from carillon.broker.messages import OutgoingMessage
from carillon.contracts import ids
from carillon.contracts.lanes import PRIORITY_MAX, PRIORITY_MIN, Lane
from carillon.contracts.messages import (
    Address,
    Content,
    DeliveryJob,
    DeliveryPolicy,
    DeviceResult,
    Mode,
    encode,
)
from carillon.contracts.status import ENDS, Status
from carillon.errors import Reason
from carillon.observability import tracing
from gateway.outbox.database import Connection

# One index range per priority: rows that are scheduled for later are never walked over. Each
# notification is locked with its row, so that an event, a cancel or an edit waits for the window
# rather than crossing it; the relay itself waits for nobody.
_TAKE = sql.SQL(
    """
    WITH due AS MATERIALIZED (
        SELECT of_one_priority.*
        FROM generate_series({most}, {least}, -1) AS each (priority),
        LATERAL (
            SELECT o.notification_id, o.attempt
            FROM outbox_outboxmessage o
            WHERE o.priority = each.priority AND o.available_at <= statement_timestamp()
            ORDER BY o.available_at, o.notification_id
            LIMIT {window}
            FOR UPDATE SKIP LOCKED
        ) AS of_one_priority
        LIMIT {window}
    )
    SELECT n.id, due.attempt, n.organization_id, n.correlation_id, n.channel, n.lane, n.priority,
           n.mode, n.delivery, n.user_id, n.status, n.created_at, n.expires_at,
           c.addresses::text, c.settled::text, c.content::text, c.recipient_name, c.traceparent,
           CASE WHEN due.attempt > 1 THEN (
               SELECT string_agg(a.provider, ',' ORDER BY a.number)
               FROM deliveries_deliveryattempt a
               WHERE a.notification_id = n.id AND a.outcome = 'sent'
           ) END
    FROM due
    JOIN notifications_notification n ON n.id = due.notification_id
    LEFT JOIN notifications_notificationcontent c ON c.notification_id = n.id
    FOR NO KEY UPDATE OF n SKIP LOCKED
    """
)

_PUBLISHED = frozenset({Status.QUEUED.value, Status.PROCESSING.value})
# A word about it came in before its row: there is nothing left to publish.
_ANSWERED = frozenset(status.value for status in ENDS | {Status.SENT})
_decode_addresses = msgspec.json.Decoder(tuple[Address, ...]).decode
_decode_settled = msgspec.json.Decoder(tuple[DeviceResult, ...]).decode
_decode_content = msgspec.json.Decoder(Content).decode


class _Row(NamedTuple):
    """A due row with all that a worker needs, in the query's order."""

    notification: UUID
    attempt: int
    organization: UUID
    correlation_id: str
    channel: str
    lane: str
    priority: int
    mode: str
    delivery: str
    user_id: str
    status: str
    created_at: datetime
    expires_at: datetime | None
    addresses: str | None
    settled: str | None
    content: str | None
    recipient_name: str | None
    traceparent: str | None
    # Of those that took it without a receipt, separated by commas.
    avoid: str | None


@dataclass(slots=True)
class Window:
    """Locked rows, sorted by what is to become of them. Holds its transaction open."""

    taken_at: datetime
    # These two go together: the messages, and the notifications they are of.
    messages: list[OutgoingMessage] = field(default_factory=list)
    notifications: list[UUID] = field(default_factory=list)
    # Too late to be sent.
    expired: list[UUID] = field(default_factory=list)
    # Their notification was sent or has ended otherwise: the row means nothing any more.
    obsolete: list[UUID] = field(default_factory=list)
    # No message can be made of them, now or ever; each with its reason in words.
    unusable: list[tuple[UUID, Reason, str]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many rows are locked."""
        return len(self.messages) + len(self.expired) + len(self.obsolete) + len(self.unusable)


class Unusable(Exception):
    """No message can be made of a row."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def take_window(connection: Connection, *, most: int, now: datetime) -> Window:
    """Lock up to `most` due rows that no other relay has; leaves the transaction open.

    `now` becomes the jobs' `queued_at` and decides what has expired. Raises psycopg.Error.
    """
    window = Window(taken_at=now)
    with connection.cursor(binary=True) as cursor:
        cursor.execute(_take_query(most))
        for values in cursor.fetchall():
            _sort_in(window, _Row._make(values))
    return window


@cache
def _take_query(most: int) -> sql.Composed:
    return _TAKE.format(
        most=sql.Literal(PRIORITY_MAX), least=sql.Literal(PRIORITY_MIN), window=sql.Literal(most)
    )


def _sort_in(window: Window, row: _Row) -> None:
    if row.status in _ANSWERED:
        window.obsolete.append(row.notification)
    elif (
        row.expires_at is not None
        and row.expires_at <= window.taken_at
        # One that was published before and came back may have been delivered: its worker knows.
        and row.status not in _PUBLISHED
    ):
        window.expired.append(row.notification)
    else:
        try:
            message = _message(row, window.taken_at)
        except Unusable as problem:
            window.unusable.append((row.notification, problem.reason, str(problem)))
        else:
            window.messages.append(message)
            window.notifications.append(row.notification)


def _message(row: _Row, queued_at: datetime) -> OutgoingMessage:
    """Raises Unusable."""
    if row.addresses is None or row.content is None:
        raise Unusable(Reason.INVALID_CONTENT, "the content is no longer stored")
    try:
        addresses = _decode_addresses(row.addresses)
        settled = _decode_settled(row.settled) if row.settled else ()
        job = DeliveryJob(
            notification_id=f"{ids.NOTIFICATION}_{row.notification.hex}",
            attempt=row.attempt,
            organization_id=f"{ids.ORGANIZATION}_{row.organization.hex}",
            correlation_id=row.correlation_id,
            channel=row.channel,
            lane=Lane(row.lane),
            priority=row.priority,
            mode=Mode(row.mode),
            delivery=DeliveryPolicy(row.delivery),
            addresses=_without(addresses, settled) if settled else addresses,
            settled=settled,
            recipient_name=row.recipient_name or "",
            user_id=row.user_id,
            content=_decode_content(row.content),
            accepted_at=row.created_at,
            queued_at=queued_at,
            expires_at=row.expires_at,
            traceparent=_traceparent(row),
            avoid=tuple(row.avoid.split(",")) if row.avoid else (),
        )
        return OutgoingMessage(
            route=_route(row.channel, job.lane),
            body=encode(job),
            message_id=job.message_id,
            correlation_id=row.correlation_id,
            traceparent=job.traceparent,
        )
    except KeyError:
        raise Unusable(Reason.CONFIGURATION, f"there is no channel {row.channel!r}") from None
    except (msgspec.MsgspecError, ValueError) as error:
        # Which field is wrong, never what stands in it.
        raise Unusable(Reason.INVALID_CONTENT, f"not a delivery job: {error}") from error


def _traceparent(row: _Row) -> str:
    """What the worker continues: where we trace, that this attempt was handed on."""
    parent = row.traceparent or ""
    if not tracing.is_on():
        return parent
    return tracing.record(
        f"create {row.channel}",
        "producer",
        parent=parent,
        attributes={
            "messaging.system": "rabbitmq",
            "messaging.operation.type": "create",
            "carillon.lane": row.lane,
            "carillon.attempt": row.attempt,
        },
    )


def _without(
    addresses: tuple[Address, ...], settled: tuple[DeviceResult, ...]
) -> tuple[Address, ...]:
    """The devices that no earlier attempt was done with."""
    done = {each.device_id for each in settled if each.device_id}
    return tuple(each for each in addresses if each.device_id not in done)


_route = cache(topology.route_for)
