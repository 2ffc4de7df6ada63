"""Telling the platform what became of jobs: events out, confirmed, and only then the ack."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec
import structlog

from carillon.broker import topology
from carillon.broker.errors import BrokerClosed, BrokerError, MessageRefused
from carillon.broker.messages import OutgoingMessage, PublishResult
from carillon.contracts.messages import encode
from carillon.worker import metrics
from carillon.worker.dedupe import Done, event_of
from carillon.worker.hands import Hand

log = structlog.get_logger(__name__)

WINDOW = 500
# How long the first outcome of a window waits for others: each window is a round trip, and the
# fewer there are, the less RabbitMQ has to do for the same events.
GATHER_SECONDS = 0.012
GATHER = 50
PUBLISH_SECONDS = 15.0
BACKOFF_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0)


class EventPublisher(Protocol):
    """What is used of `carillon.broker.publisher.Publisher`."""

    def publish(
        self, messages: Sequence[OutgoingMessage], timeout: float = ...
    ) -> list[PublishResult]: ...


class Report(msgspec.Struct, frozen=True):
    """A finished job and its outcome."""

    hand: Hand
    done: Done


class Reporter:
    """Publishes events in windows on a thread of its own; `settle` gets the confirmed ones.

    What RabbitMQ does not confirm is published again until it does: the job stays unsettled
    meanwhile, so that a crash redelivers it and its marker tells the outcome again.
    """

    def __init__(
        self,
        publisher: EventPublisher,
        *,
        settle: Callable[[list[Hand]], None],
        refuse: Callable[[Hand], None],
    ) -> None:
        """`refuse` gets a job whose event AMQP cannot carry."""
        self._publisher = publisher
        self._settle = settle
        self._refuse = refuse
        self._waiting: list[Report] = []
        self._pending = 0
        self._change = threading.Condition()
        self._closing = False
        self._giving_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def put(self, reports: Sequence[Report]) -> None:
        """Hand over outcomes; never blocks. What waits is bounded by the prefetch."""
        with self._change:
            self._waiting += reports
            self._pending += len(reports)
            self._change.notify()

    def close(self, timeout: float) -> bool:
        """Publish and settle what was put, for at most `timeout` seconds: whether all was."""
        with self._change:
            self._closing = True
            self._change.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout)
            self._giving_up.set()
            self._thread.join(0.5)
        return self._pending == 0

    @property
    def alive(self) -> bool:
        """False where the thread has died."""
        return self._thread.is_alive()

    @property
    def pending(self) -> int:
        """Outcomes that are not yet confirmed."""
        return self._pending

    def _run(self) -> None:
        while True:
            with self._change:
                while not self._waiting and not self._closing:
                    self._change.wait()
            if len(self._waiting) < GATHER and not self._closing:
                time.sleep(GATHER_SECONDS)
            with self._change:
                window, self._waiting = self._waiting[:WINDOW], self._waiting[WINDOW:]
            if not window:
                return
            self._publish_all(window)
            if self._giving_up.is_set():
                return

    def _publish_all(self, window: list[Report]) -> None:
        failures = 0
        while window and not self._giving_up.is_set():
            remaining = self._publish(window)
            if len(remaining) == len(window):
                pause = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
                self._giving_up.wait(pause)
                failures += 1
            window = remaining

    def _publish(self, window: list[Report]) -> list[Report]:
        """Publish once; what is to be published again."""
        try:
            results = self._publisher.publish(
                [_message(report) for report in window], PUBLISH_SECONDS
            )
        except MessageRefused as error:
            return self._without_refused(window, error)
        except BrokerClosed:
            self._giving_up.set()
            return window
        except BrokerError as error:
            _count_retries({type(error).__name__: len(window)})
            return window
        confirmed: list[Hand] = []
        again: list[Report] = []
        refusals: Counter[str] = Counter()
        for report, result in zip(window, results, strict=True):
            if result.confirmed:
                confirmed.append(report.hand)
            else:
                refusals[result.outcome.value] += 1
                again.append(report)
        _count_retries(refusals)
        self._settled(len(confirmed))
        self._settle(confirmed)
        return again

    def _without_refused(self, window: list[Report], error: MessageRefused) -> list[Report]:
        """One message spoils a window: find it, put its job aside, keep the rest."""
        if len(window) > 1:
            middle = len(window) // 2
            return self._publish(window[:middle]) + self._publish(window[middle:])
        hand = window[0].hand
        log.error("event cannot be published", notification_id=hand.message_id, error=str(error))
        self._settled(1)
        self._refuse(hand)
        return []

    def _settled(self, count: int) -> None:
        with self._change:
            self._pending -= count


def _count_retries(results: Mapping[str, int]) -> None:
    for result, count in results.items():
        metrics.EVENT_RETRIES.labels(result).inc(count)
        log.warning("events not confirmed, publishing them again", result=result, count=count)


def _message(report: Report) -> OutgoingMessage:
    event = event_of(report.hand.job, report.done)
    if report.hand.traceparent:
        event = msgspec.structs.replace(event, traceparent=report.hand.traceparent)
    return OutgoingMessage(
        route=topology.EVENTS_ROUTE,
        body=encode(event),
        message_id=event.event_id,
        correlation_id=event.correlation_id,
        traceparent=event.traceparent,
    )
