"""Applying batches of deliveries over a session, and settling them with RabbitMQ."""

import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeAlias

import psycopg
import structlog

from carillon.broker.connection import Backoff
from carillon.broker.consumer import Consumer
from carillon.broker.delivery import Delivery
from carillon.contracts.messages import UnreadableMessage
from carillon.contracts.status import Status
from carillon.observability import tracing
from gateway.deliveries import metrics
from gateway.deliveries.config import EventsSettings
from gateway.deliveries.services.events import AppliedBatch, apply_events
from gateway.deliveries.services.reading import ReadEvent, read_event
from gateway.deliveries.transitions import Progress
from gateway.outbox.database import BY_INDEX, Session

log = structlog.get_logger(__name__)

# Seconds.
IDLE_IN_TRANSACTION = 30.0

Chunk: TypeAlias = list[tuple[Delivery, ReadEvent]]

# What is an event's own fault: its batch is halved until it is alone, and it is parked. A value
# that our own code chokes on counts as such; it would end the process again and again, and with
# every end its neighbours would come closer to their delivery limit.
REFUSED = (psycopg.DataError, psycopg.IntegrityError, ValueError, TypeError, LookupError)


class Applier:
    """Applies one batch after the other; nothing of them is lost while the database is away."""

    def __init__(self, consumer: Consumer, settings: EventsSettings, stop: threading.Event) -> None:
        self._consumer = consumer
        self._settings = settings
        self._stop = stop
        self._session = Session("events", idle_in_transaction=IDLE_IN_TRANSACTION, options=BY_INDEX)
        self.turned = time.monotonic()

    def close(self) -> None:
        """End the session."""
        self._session.drop()

    def process(self, deliveries: Sequence[Delivery]) -> None:
        """Apply and ack what can be read, park the rest."""
        readable: Chunk = []
        for delivery in deliveries:
            try:
                readable.append((delivery, read_event(delivery.body)))
            except UnreadableMessage as error:
                self._park(delivery, str(error))
        chunks = deque([readable] if readable else [])
        backoff = Backoff()
        while chunks:
            chunk = chunks.popleft()
            try:
                applied = self._apply(chunk)
            except REFUSED as error:
                self._session.release()
                if len(chunk) == 1:
                    self._park(chunk[0][0], repr(error))
                else:
                    middle = len(chunk) // 2
                    chunks.extendleft((chunk[middle:], chunk[:middle]))
            except psycopg.Error as error:
                chunks.appendleft(chunk)
                if not self._wait_for_database(backoff, error):
                    return
                # RabbitMQ delivers the stale ones again by itself.
                chunks = deque(filter(None, map(_fresh, chunks)))
            else:
                count_applied(applied)
                _observe_lag(applied)

    def _wait_for_database(self, backoff: Backoff, error: psycopg.Error) -> bool:
        """False where we are to stop rather than to wait."""
        self._session.drop()
        metrics.DATABASE_FAILURES.inc()
        log.warning("the database failed; the batch is kept", error=repr(error))
        if not self._stop.is_set():
            self._stop.wait(backoff.next())
            self.turned = time.monotonic()
            return True
        return False

    def _apply(self, chunk: Chunk) -> AppliedBatch:
        """Apply, then ack. Raises psycopg.Error, with nothing done."""
        began, at = time.monotonic(), time.time()
        applied = apply_events(
            self._session.connection(), [read for _, read in chunk], self._settings.retry_policies
        )
        if tracing.is_on():
            _trace(chunk, at)
        self._consumer.ack_all(delivery for delivery, _ in chunk)
        metrics.BATCH_EVENTS.observe(len(chunk))
        metrics.BATCH_SECONDS.observe(time.monotonic() - began)
        return applied

    def _park(self, delivery: Delivery, why: str) -> None:
        self._consumer.reject(delivery)
        metrics.EVENTS_IGNORED.labels("unreadable").inc()
        log.error("an event is unreadable and was parked", message=delivery.message_id, why=why)


def _trace(chunk: Chunk, began: float) -> None:
    times = began, time.time()
    for delivery, read in chunk:
        event = read.event
        attributes: tracing.Attributes = {
            "messaging.system": "rabbitmq",
            "messaging.operation.type": "process",
            "messaging.message.id": delivery.message_id,
            "carillon.outcome": event.outcome.value,
        }
        tracing.record(
            "apply event",
            "consumer",
            parent=event.traceparent,
            attributes=attributes,
            times=times,
        )


def _fresh(chunk: Chunk) -> Chunk:
    return [item for item in chunk if not item[0].stale]


def count_applied(applied: AppliedBatch) -> None:
    """Tell the metrics of a batch.

    Summed up first: a labelled increment costs microseconds, and there may be thousands.
    """
    for kind, count in (
        ("repeated", applied.repeated),
        ("late", applied.late),
        ("unknown", applied.unknown),
    ):
        if count:
            metrics.EVENTS_IGNORED.labels(kind).inc(count)
    said = Counter((event.outcome, event.channel, event.provider) for event in applied.new)
    for (outcome, channel, provider), count in said.items():
        metrics.EVENTS.labels(outcome.value, channel, provider).inc(count)
    duplicates = Counter(event.channel for event in applied.new if event.possible_duplicate)
    for channel, count in duplicates.items():
        metrics.POSSIBLE_DUPLICATES.labels(channel).inc(count)
    _count_moves(applied.moved)


def _observe_lag(applied: AppliedBatch) -> None:
    if applied.new:
        oldest = min(event.occurred_at for event in applied.new)
        metrics.EVENT_LAG.observe(max(0.0, (datetime.now(UTC) - oldest).total_seconds()))


def _count_moves(moved: Sequence[Progress]) -> None:
    retries = Counter(each.channel for each in moved if each.status is Status.RETRYING)
    for channel, count in retries.items():
        metrics.RETRIES.labels(channel).inc(count)
    ends = Counter((each.status, each.channel, each.reason) for each in moved if each.has_ended)
    for (status, channel, reason), count in ends.items():
        metrics.ENDED.labels(status.value, channel, reason).inc(count)
    took = {channel: metrics.DELIVERY_SECONDS.labels(channel) for _, channel, _ in ends}
    for each in moved:
        if each.delivered_at is not None:
            took[each.channel].observe(
                max(0.0, (each.delivered_at - each.created_at).total_seconds())
            )
