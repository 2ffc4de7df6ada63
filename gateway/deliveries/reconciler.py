"""The timer that resolves stuck notifications, in the events process."""

from datetime import UTC, datetime

import structlog

from gateway.deliveries import metrics
from gateway.deliveries.config import ReconcileSettings
from gateway.deliveries.services.reconciliation import Reconciled, resolve_stuck
from gateway.deliveries.timers import Timer
from gateway.outbox.database import Connection

log = structlog.get_logger(__name__)


class Reconciler(Timer):
    """Looks for what is stuck, batch by batch until there is nothing left."""

    name = "reconciler"

    def __init__(self, settings: ReconcileSettings) -> None:
        super().__init__(settings.interval)
        self._settings = settings

    def look(self, connection: Connection) -> None:
        """Raises psycopg.Error."""
        while not self.stopping:
            done = resolve_stuck(connection, self._settings, now=datetime.now(UTC))
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
