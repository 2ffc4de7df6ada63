"""Whether a provider is so quick that handing jobs from thread to thread costs more than calls."""

import math
import time
from collections.abc import Callable
from typing import Protocol

# The quickest of some calls decides: the others may have waited for a processor.
LOOK_EVERY = 20
# Of calls beside each other, where threads wait for each other as well: worth a try.
PROMISING_SECONDS = 0.02
# Of calls one after the other.
QUICK_SECONDS = 0.0015
# A call after which a thread keeps no other job waiting.
SLOW_SECONDS = 0.05
# So many of them among LOOK_EVERY: one may have been a moment of our own machine's.
SLOW_CALLS = 2
# From one try in vain to the next: doubling, from and up to.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
MOST_AT_ONCE = 8


class Queues(Protocol):
    """What is set: the most jobs that a thread takes at once."""

    most: int


class Pace:
    """Sets how many jobs a thread takes in one turn; for any thread.

    Many for a server next door, which answers sooner than another thread would have begun; one for
    everybody else, so that the calls wait beside each other and not one after the other.
    """

    def __init__(
        self, queues: Queues, *, hopeful: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`hopeful`: begin with several, and see."""
        self._queues = queues
        self._clock = clock
        self._least = math.inf
        self._calls = 0
        self._slow = 0
        self._pause = FIRST_PAUSE_SECONDS
        self._not_before = 0.0
        if hopeful:
            queues.most = MOST_AT_ONCE

    def mixed(self) -> None:
        """Jobs that were taken together cannot go together: other threads should have them."""
        self._singly()

    def heard(self, seconds: float) -> None:
        """A call took so long."""
        self._least = min(self._least, seconds)
        self._calls += 1
        self._slow += seconds > SLOW_SECONDS
        if self._queues.most > 1 and self._slow >= SLOW_CALLS:
            self._singly()
        elif self._calls >= LOOK_EVERY:
            self._look()

    def _look(self) -> None:
        if self._queues.most == 1:
            promising = self._least < PROMISING_SECONDS and self._clock() >= self._not_before
            self._set(MOST_AT_ONCE if promising else 1)
        elif self._least < QUICK_SECONDS:
            self._pause = FIRST_PAUSE_SECONDS
            self._set(MOST_AT_ONCE)
        else:
            self._singly()

    def _singly(self) -> None:
        self._not_before = self._clock() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        self._set(1)

    def _set(self, most: int) -> None:
        self._queues.most = most
        self._least, self._calls, self._slow = math.inf, 0, 0
