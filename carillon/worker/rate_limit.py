"""The rate limit of a provider: a token bucket in Redis that all workers share.

The urgent lanes may empty the bucket, the others leave a reserve for them: a bulk flood that runs
into a provider's limit does not take the tokens an OTP needs.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from carillon.contracts.lanes import Lane
from carillon.worker.redis_link import RedisLink, RedisUnavailable

log = structlog.get_logger(__name__)

# The share of a bucket that a lane leaves untouched.
RESERVE: Mapping[Lane, float] = {Lane.HIGH: 0.0, Lane.NORMAL: 0.1, Lane.BULK: 0.25}

_PREFIX = "worker:rate:"

# KEYS[1] bucket; ARGV rate per second, burst, reserve. Redis's clock, since hosts' clocks differ.
# Returns the milliseconds until a token is there; 0 where one was taken.
_TAKE = """
local rate, burst, reserve = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(bucket[1]), tonumber(bucket[2])
if tokens == nil then tokens, at = burst, now end
tokens = math.min(burst, tokens + math.max(0, now - at) * rate / 1000)
local wait = 0
if tokens - reserve >= 1 then
  tokens = tokens - 1
else
  wait = math.max(1, math.ceil((1 + reserve - tokens) * 1000 / rate))
end
local left = string.format('%.6f', tokens)
redis.call('HSET', KEYS[1], 'tokens', left, 'at', string.format('%.3f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst * 1000 / rate) + 60000)
return wait
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` messages on average, `burst` at once (at least 1)."""

    per_second: float
    burst: int


class RateLimit:
    """One provider's bucket on one channel."""

    def __init__(
        self,
        link: RedisLink,
        key: str,
        rate: Rate,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = link
        self._key = _PREFIX + key
        self._rate = rate
        self._local = LocalBucket(rate, clock)

    def take(self, lane: Lane) -> float:
        """Take a token: 0.0, or the seconds until there may be one.

        While Redis is away each process keeps to the rate by itself, so that the sum may reach
        the rate times the number of processes.
        """
        reserve = reserve_for(self._rate, lane)
        arguments = [self._rate.per_second, self._rate.burst, reserve]
        try:
            waited = self._link.evaluate(_TAKE, [self._key], arguments)
        except RedisUnavailable:
            return self._local.take(reserve)
        return int(waited) / 1000


class LocalBucket:
    """The same bucket for one process alone."""

    def __init__(self, rate: Rate, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._tokens = float(rate.burst)
        self._at = clock()
        self._guard = threading.Lock()

    def take(self, reserve: float) -> float:
        """Take a token: 0.0, or the seconds until there may be one."""
        with self._guard:
            now = self._clock()
            earned = (now - self._at) * self._rate.per_second
            self._tokens = min(self._rate.burst, self._tokens + earned)
            self._at = now
            if self._tokens - reserve >= 1:
                self._tokens -= 1
                return 0.0
            return (1 + reserve - self._tokens) / self._rate.per_second


def reserve_for(rate: Rate, lane: Lane) -> float:
    """How many tokens `lane` leaves in the bucket; never so many that it could not take one."""
    return min(RESERVE[lane] * rate.burst, rate.burst - 1)
