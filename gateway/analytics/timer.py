"""The timer that keeps the rollups, in the events process."""

from dataclasses import dataclass

import structlog

from carillon.settings import Environment
from gateway.analytics import metrics
from gateway.analytics.services.rollups import count_pending, fold_changes
from gateway.deliveries.timers import Timer
from gateway.outbox.database import Connection

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AnalyticsSettings:
    """Every `interval` seconds, up to `batch` changes in a transaction."""

    interval: float
    batch: int

    @classmethod
    def read(cls, env: Environment) -> "AnalyticsSettings":
        """Raises SettingsError."""
        return cls(
            interval=env.number("ANALYTICS_INTERVAL", 5.0, least=0.1, most=3_600),
            batch=env.integer("ANALYTICS_BATCH", 20_000, least=1, most=1_000_000),
        )


class RollupTimer(Timer):
    """Adds up what notifications' changes left behind."""

    name = "analytics"
    keeps_connection = True

    def __init__(self, settings: AnalyticsSettings) -> None:
        super().__init__(settings.interval)
        self._batch = settings.batch

    def look(self, connection: Connection) -> None:
        """Raises psycopg.Error."""
        while not self.stopping:
            folded = fold_changes(connection, most=self._batch)
            metrics.FOLDED.inc(folded or 0)
            if folded is None or folded < self._batch:
                break
        metrics.PENDING.set(count_pending(connection))
