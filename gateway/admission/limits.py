"""Rate limits: what Redis said of one, the headers that tell the client, and a stand-in.

The headers are those of the IETF draft (draft-ietf-httpapi-ratelimit-headers).
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

import msgspec

MICROSECONDS = 1_000_000


class LimitState(msgspec.Struct, frozen=True):
    """One limit after a request was counted; times in seconds."""

    policy: str
    most: int
    window: int
    allowed: bool
    remaining: int
    reset: float
    wait: float

    @classmethod
    def of_reply(cls, policy: str, most: int, window: int, reply: Sequence[int]) -> "LimitState":
        """From what gcra.lua replies: allowed, remaining, reset and wait in microseconds."""
        allowed, remaining, reset, wait = reply
        return cls(
            policy,
            most,
            window,
            allowed == 1,
            remaining,
            reset / MICROSECONDS,
            wait / MICROSECONDS,
        )


def limit_headers(states: Sequence[LimitState]) -> dict[str, str]:
    """`RateLimit-Policy: "minute";q=60;w=60` and `RateLimit: "minute";r=59;t=1`."""
    if not states:
        return {}
    return {
        "RateLimit-Policy": ", ".join(f'"{s.policy}";q={s.most};w={s.window}' for s in states),
        "RateLimit": ", ".join(
            f'"{s.policy}";r={s.remaining};t={math.ceil(s.reset)}' for s in states
        ),
    }


class ProcessLimits:
    """The same algorithm within one process, for when Redis is down.

    Every process allows the whole limit: an outage lets somewhat more through and refuses
    nobody who keeps to it. It remembers `capacity` limits and forgets those least used.
    """

    def __init__(
        self, *, capacity: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._capacity = capacity
        self._clock = clock
        self._lock = threading.Lock()
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str, policy: str, most: int, window: int) -> LimitState:
        """Count one against `key`: `most` in `window` seconds."""
        return self._state(key, policy, most, window, count=True)

    def peek(self, key: str, policy: str, most: int, window: int) -> LimitState:
        """What `take` would say; nothing is counted."""
        return self._state(key, policy, most, window, count=False)

    def _state(self, key: str, policy: str, most: int, window: int, *, count: bool) -> LimitState:
        interval = window / most
        with self._lock:
            now = self._clock()
            full_at = max(self._full_at.get(key, now), now)
            wait = full_at + interval - window - now
            if wait > 1e-6:
                return LimitState(policy, most, window, False, 0, full_at - now, wait)
            if count:
                full_at += interval
                self._full_at[key] = full_at
                self._full_at.move_to_end(key)
                if len(self._full_at) > self._capacity:
                    self._full_at.popitem(last=False)
        remaining = math.floor((window - (full_at - now)) / interval + 1e-3)
        return LimitState(policy, most, window, True, remaining, full_at - now, 0.0)

    def give_back(self, key: str, most: int, window: int) -> None:
        """Undo one `take`."""
        with self._lock:
            if key in self._full_at:
                self._full_at[key] -= window / most
