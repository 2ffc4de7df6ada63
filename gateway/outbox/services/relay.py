"""The relay: windows of due rows, published with confirms, several of them in flight."""

import threading
import time
from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
import structlog

from carillon.broker.connection import Backoff
from carillon.broker.errors import BrokerError
from carillon.broker.messages import PublishOutcome, PublishResult
from carillon.broker.publisher import PendingWindow, Publisher
from gateway.outbox import metrics
from gateway.outbox.config import RelaySettings
from gateway.outbox.database import BY_INDEX, Session
from gateway.outbox.services.settlement import settle_window
from gateway.outbox.services.topology_repair import TopologyRepair
from gateway.outbox.services.window import Window, take_window

log = structlog.get_logger(__name__)

# Seconds without a sign of life after which the relay counts as stuck, beyond the time for which a
# window may wait for its confirms: two statements and a pause may come with it.
STUCK_AFTER = 40.0
# Seconds beyond the wait for confirms after which the server frees the rows of a stopped relay.
LOCK_GRACE = 15.0
BROKER_WAIT = 0.5
FIRST_CONNECTION = 2.0


@dataclass(frozen=True, slots=True)
class _Settled:
    """What became of a window's messages, and how many of its rows had which outcome."""

    results: list[PublishResult]
    counts: Counter[str]


@dataclass(frozen=True, slots=True)
class _InFlight:
    """A window that was handed to the publisher, and its end in the making."""

    session: Session
    window: Window
    began: float
    end: Future[_Settled]


class Relay:
    """Publishes what is due until it is told to stop. Any number of relays may run at once.

    While one window waits for its confirms and is settled, the next is taken on another session.
    Nothing is lost by ending at any point: rows are deleted only in the commit that follows their
    confirms. What was confirmed without reaching that commit is published again.
    """

    def __init__(
        self, publisher: Publisher, settings: RelaySettings, repair: TopologyRepair
    ) -> None:
        self._publisher = publisher
        self._settings = settings
        self._repair = repair
        self._stop = threading.Event()
        self._idle_sessions = [self._new_session() for _ in range(settings.windows_in_flight)]
        self._in_flight: deque[_InFlight] = deque()
        self._settling = ThreadPoolExecutor(1, thread_name_prefix="settling")
        self._poll = settings.poll_least
        self._trouble = Backoff()
        self._turned = time.monotonic()
        self._broker_missed = False

    def stop(self) -> None:
        """Take no more windows; `run` returns once those in flight are settled."""
        self._stop.set()

    @property
    def alive(self) -> bool:
        """True while the loop and the publisher's I/O thread turn."""
        turned = time.monotonic() - self._turned
        return (
            turned < STUCK_AFTER + self._settings.publish_timeout
            and self._publisher.seconds_since_turn < STUCK_AFTER
        )

    def run(self) -> None:
        """Publish until `stop`; outages of the database or of RabbitMQ are waited for."""
        self._publisher.wait_connected(FIRST_CONNECTION)
        try:
            while not self._stop.is_set():
                self._turned = time.monotonic()
                self._turn()
            while self._in_flight:
                self._settle_oldest()
        finally:
            self._settling.shutdown()
            for session in [*self._idle_sessions, *(one.session for one in self._in_flight)]:
                session.drop()

    def _turn(self) -> None:
        taken = self._take_next() if self._broker_usable() else 0
        crowded = len(self._in_flight) == self._settings.windows_in_flight
        if self._in_flight and (crowded or taken < self._settings.window):
            self._settle_oldest()
        elif not taken:
            self._stop.wait(self._poll)
            self._poll = min(self._poll * 2, self._settings.poll_most)
        if taken:
            self._poll = self._settings.poll_least

    def _broker_usable(self) -> bool:
        """Take nothing that could not be published: rows would be locked for no use."""
        usable = self._publisher.connected and self._publisher.blocked is None
        if not usable:
            if not self._broker_missed:
                log.warning("RabbitMQ is not usable: the outbox waits", why=self._publisher.blocked)
            if not self._in_flight:
                self._stop.wait(BROKER_WAIT)
        elif self._broker_missed:
            log.info("RabbitMQ is usable again")
        self._broker_missed = not usable
        return usable

    def _take_next(self) -> int:
        """How many rows were taken and handed to the publisher."""
        session = self._idle_sessions.pop()
        began = time.monotonic()
        try:
            window = take_window(
                session.connection(), most=self._settings.window, now=datetime.now(UTC)
            )
            if not window.size:
                session.release()
                self._idle_sessions.append(session)
                self._trouble.reset()
                return 0
            pending = (
                self._publisher.submit(window.messages, self._settings.publish_timeout)
                if window.messages
                else None
            )
        except psycopg.Error as error:
            self._give_up(session, error)
            return 0
        except BrokerError as error:
            log.warning("the window was not published", why=str(error))
            self._unlock(session)
            self._stop.wait(self._trouble.next())
            return 0
        end = self._settling.submit(self._settle, session, window, pending)
        self._in_flight.append(_InFlight(session, window, began, end))
        return window.size

    def _settle(self, session: Session, window: Window, pending: PendingWindow | None) -> _Settled:
        """In a thread of its own, so that the next window is taken meanwhile.

        Raises psycopg.Error and BrokerError, as `submit` and `wait` do.
        """
        results = pending.wait() if pending else []
        counts = settle_window(
            session.connection(), window, results, returned_delay=self._settings.returned_delay
        )
        return _Settled(results, counts)

    def _settle_oldest(self) -> None:
        one = self._in_flight.popleft()
        try:
            settled = one.end.result()
        except psycopg.Error as error:
            self._give_up(one.session, error)
            return
        except BrokerError as error:
            log.warning("the window was not published", why=str(error))
            self._unlock(one.session)
            self._stop.wait(self._trouble.next())
            return
        self._idle_sessions.append(one.session)
        metrics.WINDOW_ROWS.observe(one.window.size)
        metrics.WINDOW_SECONDS.observe(time.monotonic() - one.began)
        for result, count in settled.counts.items():
            metrics.RELAYED.labels(result).inc(count)
        self._judge(one.window, settled.results)

    def _judge(self, window: Window, results: list[PublishResult]) -> None:
        """Speak of what was not confirmed, and slow down where it would only fail again."""
        self._repair.after(results)
        for notification, reason, text in window.unusable:
            log.error(
                "an outbox row is unusable", notification=notification.hex, reason=reason, why=text
            )
        undecided = [
            result
            for result in results
            if result.outcome not in {PublishOutcome.CONFIRMED, PublishOutcome.RETURNED}
        ]
        if not undecided:
            self._trouble.reset()
            return
        log.warning(
            "messages were not confirmed and will be published again",
            count=len(undecided),
            outcome=undecided[0].outcome,
            why=undecided[0].detail,
        )
        self._stop.wait(self._trouble.next())

    def _give_up(self, session: Session, error: psycopg.Error) -> None:
        """The rows come back as they were; what was published of them is published again."""
        metrics.DATABASE_FAILURES.inc()
        log.warning("the database failed; its rows are taken again", error=repr(error))
        session.drop()
        self._idle_sessions.append(session)
        self._stop.wait(self._trouble.next())

    def _unlock(self, session: Session) -> None:
        """Let go of what was taken and not published."""
        session.release()
        self._idle_sessions.append(session)

    def _new_session(self) -> Session:
        return Session(
            "relay",
            idle_in_transaction=self._settings.publish_timeout * self._settings.windows_in_flight
            + LOCK_GRACE,
            options=BY_INDEX,
        )
