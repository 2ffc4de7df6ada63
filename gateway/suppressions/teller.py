"""The timer that tells the user service, in the events process."""

from gateway.deliveries.timers import Timer
from gateway.outbox.database import Connection
from gateway.suppressions import metrics
from gateway.suppressions.services.telling import count_pending, tell_due

INTERVAL = 1.0
"""Seconds: the next notification to an address that bounced should not be sent."""


class SuppressionTeller(Timer):
    """Looks for what deliveries taught, and tells it."""

    name = "suppressions"
    keeps_connection = True

    def __init__(self, interval: float = INTERVAL) -> None:
        super().__init__(interval)

    def look(self, connection: Connection) -> None:
        """Raises psycopg.Error."""
        while not self.stopping:
            told = tell_due(connection)
            for outcome in ("suppressed", "refused", "failed"):
                metrics.TOLD.labels(outcome).inc(getattr(told, outcome))
            if not told.settled:
                break
        metrics.PENDING.set(count_pending(connection))
