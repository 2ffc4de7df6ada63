"""The timer that resolves stuck notifications, beside the consumer of events."""

import threading
from datetime import UTC, datetime
from types import TracebackType

import psycopg
import structlog

from gateway.deliveries import metrics
from gateway.deliveries.config import ReconcileSettings
from gateway.deliveries.services.reconciliation import Reconciled, resolve_stuck
from gateway.outbox.database import Session

log = structlog.get_logger(__name__)

IDLE_IN_TRANSACTION = 30.0


class Reconciler:
    """A thread that looks for what is stuck every `interval`, while inside the `with` block."""

    def __init__(self, settings: ReconcileSettings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._session = Session("reconciler", idle_in_transaction=IDLE_IN_TRANSACTION)
        self._thread = threading.Thread(target=self._run, name="reconciler", daemon=True)

    def __enter__(self) -> "Reconciler":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while not self._stop.wait(self._settings.interval):
            try:
                self._look()
            except psycopg.Error as error:
                log.warning("could not look for stuck notifications", error=repr(error))
            # Once a minute or so: a kept connection would only take a place.
            self._session.drop()

    def _look(self) -> None:
        while not self._stop.is_set():
            done = resolve_stuck(self._session.connection(), self._settings, now=datetime.now(UTC))
            count(done)
            if done.total < self._settings.most:
                return


def count(done: Reconciled) -> None:
    """Tell metrics and log what was resolved."""
    metrics.RECONCILED.labels("requeued").inc(done.requeued)
    metrics.RECONCILED.labels("unknown").inc(done.unknown)
    if done.total:
        log.warning(
            "stuck notifications were resolved", requeued=done.requeued, unknown=done.unknown
        )
