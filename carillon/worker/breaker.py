"""The circuit breaker of a provider, its state shared by all workers through Redis.

Closed: calls pass. After FAILURES_TO_OPEN failures in a row it opens: no calls for
COOLDOWN_SECONDS. Then it is half open: one worker probes, the others go on waiting; success closes
it for all, failure opens it again. A provider that names a time (`Retry-After`) is left alone
until then.

The usual case costs nothing: a worker talks to Redis when a call fails, when one succeeds after
failures, and once a second from its housekeeping to hear of the others.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from carillon.worker.redis_link import RedisLink, RedisUnavailable

log = structlog.get_logger(__name__)

FAILURES_TO_OPEN = 5
COOLDOWN_SECONDS = 15.0
# Failures further apart than this are not in a row.
MEMORY_SECONDS = 60.0
# A probe that has not answered by then has died with its worker.
PROBE_SECONDS = 45.0

_PREFIX = "worker:breaker:"

# KEYS: failures, open, probe. ARGV: threshold, memory ms, cooldown ms. Returns {failures, open ms}.
_FAILED = """
local failures = redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('DEL', KEYS[3])
if failures >= tonumber(ARGV[1]) and redis.call('PTTL', KEYS[2]) < tonumber(ARGV[3]) then
  redis.call('SET', KEYS[2], '1', 'PX', ARGV[3])
end
return {failures, redis.call('PTTL', KEYS[2])}
"""

# KEYS: open. ARGV: milliseconds. A pause only ever grows.
_PAUSE = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
end
return redis.call('PTTL', KEYS[1])
"""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to call the provider; `probe` where the call decides whether the breaker closes."""

    probe: bool = False


class CircuitBreaker:
    """Whether one provider may be called; `key` is `<channel>:<provider>`."""

    def __init__(
        self, link: RedisLink, key: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.key = key
        self._link = link
        self._clock = clock
        self._keys = [f"{_PREFIX}{key}:{part}" for part in ("failures", "open", "probe")]
        self._guard = threading.Lock()
        self._failures = 0
        self._open_until = 0.0
        self._probe_until = 0.0

    @property
    def shut(self) -> bool:
        """True where calls do not pass freely, as far as this process knows."""
        return self._failures >= FAILURES_TO_OPEN or self._clock() < self._open_until

    @staticmethod
    def refresh(link: RedisLink, breakers: "Sequence[CircuitBreaker]") -> None:
        """Take over what the other workers found out. Raises RedisUnavailable."""
        if not breakers:
            return
        replies = link.run(
            *(
                command
                for breaker in breakers
                for command in (("GET", breaker._keys[0]), ("PTTL", breaker._keys[1]))
            )
        )
        for index, breaker in enumerate(breakers):
            failures, open_ms = replies[2 * index : 2 * index + 2]
            breaker._merge(int(failures or 0), int(open_ms))

    def ask(self) -> Permit | float:
        """A permit, or the seconds until it is worth asking again."""
        remaining = self._open_until - self._clock()
        if remaining > 0:
            return remaining
        if self._failures < FAILURES_TO_OPEN:
            return Permit()
        return Permit(probe=True) if self._win_probe() else 1.0

    def succeeded(self) -> None:
        """A call got an answer that shows the provider at work."""
        if not self._failures:
            return
        if self.shut:
            log.info("provider is back", provider=self.key)
        with self._guard:
            self._failures = 0
            self._probe_until = 0.0
        try:
            # Not the `open` key: a pause that the provider asked for still holds.
            self._link.run(("DEL", self._keys[0], self._keys[2]))
        except RedisUnavailable:
            # The others find out by themselves, and this process by its next refresh.
            return

    def failed(self) -> None:
        """A call showed the provider in trouble."""
        was_shut = self.shut
        arguments = [FAILURES_TO_OPEN, int(MEMORY_SECONDS * 1000), int(COOLDOWN_SECONDS * 1000)]
        try:
            failures, open_ms = self._link.evaluate(_FAILED, self._keys, arguments)
            self._merge(failures, open_ms)
        except RedisUnavailable:
            with self._guard:
                self._failures += 1
                self._probe_until = 0.0
                if self._failures >= FAILURES_TO_OPEN:
                    self._open_until = self._clock() + COOLDOWN_SECONDS
        if self.shut and not was_shut:
            log.warning("provider is given a rest", provider=self.key, failures=self._failures)

    def pause(self, seconds: float) -> None:
        """Nobody calls the provider for so long: it said so itself."""
        milliseconds = max(1, int(seconds * 1000))
        try:
            milliseconds = int(self._link.evaluate(_PAUSE, [self._keys[1]], [milliseconds]))
        except RedisUnavailable:
            log.warning("pause of a provider is known to this process alone", provider=self.key)
        with self._guard:
            self._open_until = max(self._open_until, self._clock() + milliseconds / 1000)

    def abandon(self, permit: Permit) -> None:
        """The permit was not used, or told nothing: let another worker probe."""
        if permit.probe:
            with self._guard:
                self._probe_until = 0.0
            try:
                self._link.run(("DEL", self._keys[2]))
            except RedisUnavailable:
                return

    def _win_probe(self) -> bool:
        with self._guard:
            if self._clock() < self._probe_until:
                return False
            self._probe_until = self._clock() + PROBE_SECONDS
        probe_ms = int(PROBE_SECONDS * 1000)
        try:
            won = self._link.run(("SET", self._keys[2], b"1", "NX", "PX", probe_ms))[0]
        except RedisUnavailable:
            return True
        if won is None:
            with self._guard:
                self._probe_until = 0.0
        return won is not None

    def _merge(self, failures: int, open_ms: int) -> None:
        with self._guard:
            self._failures = failures
            self._open_until = self._clock() + open_ms / 1000 if open_ms > 0 else 0.0
            self._probe_until = 0.0
