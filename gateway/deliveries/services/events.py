"""Applying delivery events: a batch is one transaction, and most of it one round trip."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import ARRIVED, DeliveryEvent, Outcome
from carillon.contracts.status import Status
from carillon.errors import Reason
from gateway.deliveries.retry import RetryPolicy
from gateway.deliveries.services import batch_sql
from gateway.deliveries.services.batch_sql import (
    AttemptRow,
    DeadDeviceRow,
    MovedRow,
    RetryRow,
    SettledRow,
)
from gateway.deliveries.services.endings import DEAD_LETTERS, DeadLetterEntry, keep_dead_letters
from gateway.deliveries.services.reading import ReadEvent
from gateway.deliveries.transitions import Progress, apply_event, refines
from gateway.outbox.database import Connection
from gateway.suppressions.services.reports import report_addresses

# A row of the outbox may be left over where the status says that it was never published.
_UNPUBLISHED = frozenset({Status.SCHEDULED, Status.ACCEPTED, Status.RETRYING})

# Looked up for every event: calling an enumeration takes ten times as long.
_LANES = {lane.value: lane for lane in Lane}
_STATUSES = {status.value: status for status in Status}

AttemptKey = tuple[UUID, int]


@dataclass(slots=True)
class AppliedBatch:
    """What a committed batch did, for the metrics."""

    new: list[DeliveryEvent] = field(default_factory=list)
    moved: list[Progress] = field(default_factory=list)
    repeated: int = 0
    late: int = 0
    unknown: int = 0


class _Batch:
    """A batch while it is worked out in memory, its notifications locked."""

    def __init__(self, progress: dict[UUID, Progress], known: dict[AttemptKey, Outcome]) -> None:
        self.progress = progress
        self.unpublished = [each.id for each in progress.values() if each.status in _UNPUBLISHED]
        self.attempts: dict[AttemptKey, DeliveryEvent] = {}
        self.late: set[AttemptKey] = set()
        self.applied = AppliedBatch()
        self._known = known

    def take(self, read: ReadEvent, policy: RetryPolicy, now: datetime) -> None:
        """Let one event move its notification; the order of calls is the order of the events."""
        event = read.event
        key = (read.notification, event.attempt)
        progress = self.progress.get(read.notification)
        if progress is None:
            self.applied.unknown += 1
            return
        earlier = self.attempts.get(key)
        recorded = earlier.outcome if earlier else self._known.get(key)
        if not refines(earlier.outcome if earlier else None, event.outcome):
            self.applied.repeated += 1
            return
        self.attempts[key] = _merged(earlier, event) if earlier else event
        dice = random.random()  # noqa: S311  jitter, not secrecy
        if apply_event(progress, event, recorded, policy, now=now, dice=dice):
            self.late.discard(key)
        else:
            self.late.add(key)

    def failures_of(self, keys: set[AttemptKey]) -> list[ReadEvent]:
        """What was said of those of these attempts that have a reason."""
        return [
            ReadEvent(key[0], event)
            for key, event in self.attempts.items()
            if event.reason is not None and key in keys
        ]

    def count(self, written: set[AttemptKey]) -> AppliedBatch:
        """The summary, once it is known which attempts were not in the database yet."""
        for key, event in self.attempts.items():
            if key not in written:
                self.applied.repeated += 1
                continue
            self.applied.new.append(event)
            self.applied.late += key in self.late
        self.applied.moved = [each for each in self.progress.values() if each.moved]
        return self.applied


def apply_events(
    connection: Connection, events: Sequence[ReadEvent], policies: Mapping[str, RetryPolicy]
) -> AppliedBatch:
    """Record the attempts, move the notifications, schedule retries, keep dead letters; commit.

    Events of one notification are applied in their order. What is late or repeated changes
    nothing. Raises psycopg.Error, with nothing done.
    """
    now = datetime.now(UTC)
    progress = _lock(connection, {read.notification for read in events})
    batch = _Batch(progress, _known_attempts(connection, events, progress))
    default = next(iter(policies.values()))
    for read in events:
        batch.take(read, policies.get(read.event.channel, default), now)
    written = _write(connection, batch, now)
    report_addresses(connection, batch.failures_of(written), at=now)
    connection.commit()
    return batch.count(written)


def _merged(earlier: DeliveryEvent, later: DeliveryEvent) -> DeliveryEvent:
    """What both say of one attempt: a receipt knows the end, the worker knew the beginning."""
    return msgspec.structs.replace(
        earlier,
        outcome=later.outcome,
        reason=later.reason,
        error_code=later.error_code,
        error_message=later.error_message,
        provider=later.provider or earlier.provider,
        provider_message_id=later.provider_message_id or earlier.provider_message_id,
        possible_duplicate=earlier.possible_duplicate or later.possible_duplicate,
        devices=later.devices or earlier.devices,
    )


def _lock(connection: Connection, notifications: set[UUID]) -> dict[UUID, Progress]:
    with connection.cursor(binary=True) as cursor:
        cursor.execute(batch_sql.LOCK, (list(notifications),))
        return {
            row[0]: Progress(
                id=row[0],
                organization=row[1],
                channel=row[2],
                lane=_LANES[row[3]],
                priority=row[4],
                status=_STATUSES[row[5]],
                attempt=row[6],
                earlier_attempts=row[7] or 0,
                created_at=row[8],
                expires_at=row[9],
            )
            for row in cursor.fetchall()
        }


def _known_attempts(
    connection: Connection, events: Sequence[ReadEvent], progress: Mapping[UUID, Progress]
) -> dict[AttemptKey, Outcome]:
    """What is recorded where it matters: where an earlier attempt is said to have arrived."""
    questionable = {
        read.notification
        for read in events
        if read.event.outcome in ARRIVED
        and (found := progress.get(read.notification)) is not None
        and read.event.attempt < found.attempt
    }
    if not questionable:
        return {}
    rows = connection.execute(batch_sql.RECORDED, (list(questionable),))
    return {(id_, number): Outcome(outcome) for id_, number, outcome in rows}


def _write(connection: Connection, batch: _Batch, now: datetime) -> set[AttemptKey]:
    """Answers which attempts were not yet recorded like this."""
    moved = [each for each in batch.progress.values() if each.moved]
    moved_ids = {each.id for each in moved}
    left_over = [id_ for id_ in batch.unpublished if id_ in moved_ids]
    retries = [each for each in moved if each.status is Status.RETRYING]
    with connection.pipeline(), connection.cursor() as recording:
        if batch.attempts:
            recording.execute(
                batch_sql.RECORD,
                (batch_sql.rows([_attempt_row(*item) for item in batch.attempts.items()]),),
            )
        if moved:
            connection.execute(
                batch_sql.MOVE, (now, batch_sql.rows([_moved_row(each) for each in moved]))
            )
        if left_over:
            connection.execute(batch_sql.FORGET, (left_over,))
        if retries:
            connection.execute(
                batch_sql.RETRY, (batch_sql.rows([_retry_row(each) for each in retries]),)
            )
        settled = [SettledRow(each.id, each.settled) for each in retries if each.settled]
        if settled:
            connection.execute(batch_sql.SETTLE, (batch_sql.rows(settled),))
        dead = _dead_devices(batch)
        if dead:
            connection.execute(batch_sql.DISABLE, (now, batch_sql.rows(dead)))
        keep_dead_letters(connection, _dead_letters(moved), at=now)
        return set(recording.fetchall()) if batch.attempts else set()


def _attempt_row(key: AttemptKey, event: DeliveryEvent) -> AttemptRow:
    return AttemptRow(
        notification_id=key[0],
        number=key[1],
        channel=event.channel,
        provider=event.provider,
        provider_message_id=event.provider_message_id,
        outcome=event.outcome,
        reason=event.reason or "",
        error_code=event.error_code,
        error_message=event.error_message,
        started_at=event.started_at,
        finished_at=event.occurred_at,
        duration_ms=event.duration_ms,
        possible_duplicate=event.possible_duplicate,
        devices=tuple(each for each in event.devices if each.attempt == event.attempt) or None,
    )


def _dead_devices(batch: _Batch) -> list[DeadDeviceRow]:
    """By their ids, so that two batches that tell of the same ones never deadlock."""
    dead = {
        device.device_id: batch.progress[notification].organization
        for (notification, _), event in batch.attempts.items()
        for device in event.devices
        if device.reason is Reason.DEAD_TOKEN and device.device_id
    }
    return [DeadDeviceRow(device_id, dead[device_id]) for device_id in sorted(dead)]


def _moved_row(progress: Progress) -> MovedRow:
    return MovedRow(
        id=progress.id,
        status=progress.status,
        attempt=progress.attempt,
        reason=progress.reason,
        provider=progress.provider,
        provider_message_id=progress.provider_message_id,
        error_message=progress.error_message,
        next_attempt_at=progress.next_attempt_at,
        sent_at=progress.sent_at,
        delivered_at=progress.delivered_at,
    )


def _retry_row(progress: Progress) -> RetryRow:
    if progress.next_attempt_at is None:
        raise AssertionError("a retry without its time")
    return RetryRow(
        notification_id=progress.id,
        attempt=progress.attempt,
        priority=progress.publishing_priority,
        available_at=progress.next_attempt_at,
    )


def _dead_letters(moved: Sequence[Progress]) -> list[DeadLetterEntry]:
    return [
        DeadLetterEntry(each.id, each.organization, each.reason, each.error_message, each.attempt)
        for each in moved
        if each.status in DEAD_LETTERS
    ]
