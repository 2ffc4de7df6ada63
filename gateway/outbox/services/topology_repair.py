"""What to do when no queue takes a message: declare the topology again, now and then."""

import time
from collections.abc import Callable, Iterable

import structlog

from carillon.broker.declaration import declare
from carillon.broker.errors import BrokerError
from carillon.broker.messages import PublishOutcome, PublishResult

log = structlog.get_logger(__name__)

# Seconds between two attempts.
REPAIR_EVERY = 30.0


class TopologyRepair:
    """Somebody deleted a queue: make it exist again, without waiting for a reconnection."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._tried_at = -REPAIR_EVERY

    def after(self, results: Iterable[PublishResult]) -> None:
        """Declare the topology where messages were returned, at most every REPAIR_EVERY seconds."""
        if not any(result.outcome is PublishOutcome.RETURNED for result in results):
            return
        if self._clock() - self._tried_at < REPAIR_EVERY:
            return
        self._tried_at = self._clock()
        try:
            declare(self._url)
            log.warning("no queue took some messages: declared the topology again")
        except BrokerError as error:
            log.error("no queue took some messages, nor can it be declared", why=str(error))
