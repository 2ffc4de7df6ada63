"""A circuit breaker for one dependency within one process."""

import threading
import time
from collections.abc import Callable


class CircuitBreaker:
    """Opens after `failures` in a row; after `cooldown` seconds one caller at a time may probe.

    While open, callers fail at once instead of each waiting for a timeout.
    """

    def __init__(
        self,
        *,
        failures: int = 5,
        cooldown: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = failures
        self._cooldown = cooldown
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._probe_from = 0.0

    def allows(self) -> bool:
        """True if a call may be made now; when open, true for the one that probes."""
        # Closed, as nearly always: reading one number needs no lock.
        if self._failed < self._limit:
            return True
        with self._lock:
            if self._failed < self._limit:
                return True
            now = self._clock()
            if now < self._probe_from:
                return False
            self._probe_from = now + self._cooldown
            return True

    def succeeded(self) -> None:
        """The dependency answered."""
        if self._failed:
            with self._lock:
                self._failed = 0

    def failed(self) -> None:
        """The dependency did not answer, or answered that it cannot."""
        with self._lock:
            self._failed += 1
            if self._failed >= self._limit:
                self._probe_from = self._clock() + self._cooldown
