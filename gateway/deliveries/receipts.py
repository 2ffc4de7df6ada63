"""The timer that looks for receipts that did not come, in the events process."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from gateway.deliveries import metrics
from gateway.deliveries.services.missing_receipts import BATCH, Missing, send_elsewhere
from gateway.deliveries.timers import Timer
from gateway.outbox.database import Connection

INTERVAL = 1.0
"""Seconds."""


class ReceiptWatcher(Timer):
    """Has what no receipt came for sent by another provider, or on another channel, once."""

    name = "receipts"
    keeps_connection = True

    def __init__(self, providers: Mapping[str, Sequence[str]], interval: float = INTERVAL) -> None:
        super().__init__(interval)
        self._providers = providers

    def look(self, connection: Connection) -> None:
        """Raises psycopg.Error."""
        while not self.stopping:
            missing = send_elsewhere(connection, self._providers, now=datetime.now(UTC))
            _count(missing)
            if missing.total < BATCH:
                return


def _count(missing: Missing) -> None:
    for result, channels in (
        ("sent_again", missing.sent_again),
        ("fallen_back", missing.fallen_back),
        ("left", missing.left),
    ):
        for channel, count in Counter(channels).items():
            metrics.RECEIPTS_MISSING.labels(channel, result).inc(count)
