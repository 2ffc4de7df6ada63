"""The timer of retention, in the events process."""

import time
from datetime import UTC, datetime

import structlog

from gateway.deliveries.timers import Timer
from gateway.outbox.database import Connection
from gateway.retention import metrics
from gateway.retention.config import RetentionSettings
from gateway.retention.services.erasure import erase_again
from gateway.retention.services.expiry import clear_expired

log = structlog.get_logger(__name__)


class RetentionTimer(Timer):
    """Clears what is old, and what came in about users who were erased."""

    name = "retention"

    def __init__(self, settings: RetentionSettings) -> None:
        super().__init__(settings.interval)
        self._settings = settings

    def look(self, connection: Connection) -> None:
        """Raises psycopg.Error."""
        erased = erase_again(connection, now=datetime.now(UTC))
        metrics.CLEARED.labels("erasure").inc(erased.cleared)
        metrics.ERASED_CANCELLED.inc(erased.cancelled)
        if erased.cleared or erased.cancelled:
            log.info("erased again", cleared=erased.cleared, cancelled=erased.cancelled)
        total = 0
        while not self.stopping:
            cleared = clear_expired(connection, self._settings, now=datetime.now(UTC))
            metrics.CLEARED.labels("age").inc(cleared)
            total += cleared
            if cleared < self._settings.batch:
                metrics.LAST_LOOK.set(time.time())
                break
        if total:
            log.info("old content cleared", notifications=total)
