"""The timers that apply what providers reported and forget it, in the events process."""

import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog

from gateway.callbacks import metrics
from gateway.callbacks.services.draining import BATCH, Drained, drain, measure_waiting
from gateway.callbacks.services.inbox import forget_settled
from gateway.deliveries.appliers import count_applied
from gateway.deliveries.retry import RetryPolicy
from gateway.deliveries.timers import Timer
from gateway.outbox.database import BY_INDEX, Connection

log = structlog.get_logger(__name__)

# Seconds.
INTERVAL = 0.5
MEASURE_INTERVAL = 5.0
FORGET_INTERVAL = 300.0
FORGOTTEN_AT_ONCE = 5_000


class CallbackDrainer(Timer):
    """Applies reports, batch by batch until none is due."""

    name = "callbacks"
    keeps_connection = True
    options = BY_INDEX

    def __init__(
        self,
        policies: Mapping[str, RetryPolicy],
        *,
        wait_seconds: float,
        interval: float = INTERVAL,
    ) -> None:
        super().__init__(interval)
        self._policies = policies
        self._wait_seconds = wait_seconds
        self._measured_at = float("-inf")

    def look(self, connection: Connection) -> None:
        """Raises psycopg.Error."""
        # Before anything else: what cannot be applied is to be seen waiting.
        self._measure(connection)
        while not self.stopping:
            now = datetime.now(UTC)
            drained = drain(connection, self._policies, now=now, wait_seconds=self._wait_seconds)
            _count(drained, now)
            if drained.found < BATCH:
                break

    def _measure(self, connection: Connection) -> None:
        """Raises psycopg.Error."""
        if time.monotonic() - self._measured_at < MEASURE_INTERVAL:
            return
        waiting = measure_waiting(connection, datetime.now(UTC))
        metrics.PENDING.set(waiting.count)
        metrics.OVERDUE.set(waiting.overdue)
        self._measured_at = time.monotonic()


class CallbackForgetter(Timer):
    """Forgets reports once no repetition of them would be taken any more."""

    name = "callbacks-forgetter"

    def __init__(
        self, replay_seconds: float, wait_seconds: float, interval: float = FORGET_INTERVAL
    ) -> None:
        super().__init__(interval)
        # With a margin: two days for a day and an hour.
        self._memory = timedelta(seconds=2 * max(replay_seconds, wait_seconds))

    def look(self, connection: Connection) -> None:
        """Raises psycopg.Error."""
        before = datetime.now(UTC) - self._memory
        while not self.stopping:
            if forget_settled(connection, before=before, most=FORGOTTEN_AT_ONCE) == 0:
                return


def _count(drained: Drained, now: datetime) -> None:
    count_applied(drained.applied)
    settled = Counter((kept.provider, kept.kind, result) for kept, result in drained.settled)
    for (provider, kind, result), count in settled.items():
        metrics.APPLIED.labels(provider, kind, result).inc(count)
    applied = [kept.received_at for kept, result in drained.settled if result == "applied"]
    if applied:
        metrics.LAG.observe(max(0.0, (now - min(applied)).total_seconds()))
    for kept, result in drained.settled:
        if result in {"refused", "ambiguous"}:
            log.error("a report was given up", provider=kept.provider, id=kept.id, result=result)
