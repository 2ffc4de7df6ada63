"""Runs the Lua scripts beside this file, and stops asking Redis for a while when it is down.

One or two of them run for every notification, so they bypass redis-py: its client adds 40
microseconds to each call. One connection per thread.
"""

import hashlib
import threading
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import redis
import structlog
from redis.exceptions import NoScriptError

from carillon.clients.breaker import CircuitBreaker
from carillon.redis_wire import Argument, Wire, pack
from gateway.connections import redis_client

log = structlog.get_logger(__name__)

_FOLDER = Path(__file__).parent
# A connection that was idle for longer is looked at before it is used.
_IDLE_SECONDS = 1.0


class RedisDown(Exception):
    """Redis did not answer in time, or failed so often of late that it was not asked."""


class Script:
    """One script: its source, and the digest that Redis knows it by once it was loaded."""

    def __init__(self, *names: str) -> None:
        self.source = "\n".join((_FOLDER / f"{name}.lua").read_text() for name in names)
        # Redis names scripts by their SHA-1; no secret depends on it.
        self.digest = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()


ENTER = Script("gcra", "entering", "enter")
RESERVE = Script("gcra", "caps", "reserving", "reserve")
ENTER_AND_RESERVE = Script("gcra", "caps", "entering", "reserving", "enter_and_reserve")
PEEK = Script("gcra", "caps", "peek")
GIVE_BACK = Script("give_back")
RELEASE = Script("gcra", "release")


class Scripts:
    """Commands to one Redis, safe for many threads. Nothing is retried.

    A stalled Redis costs each of the first few requests its timeout; then the breaker opens and
    requests take the slower ways that need no Redis.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._pool = client.connection_pool
        self._breaker = CircuitBreaker(failures=3, cooldown=2.0)
        self._own = threading.local()

    def run(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """The script's reply. Raises RedisDown: whether it ran is then unknown."""
        return self._guarded(pack("EVALSHA", script.digest, len(keys), *keys, *args), script)

    def command(self, *parts: Argument) -> Any:
        """The reply to one plain command. Raises RedisDown."""
        return self._guarded(pack(*parts))

    def _guarded(self, command: bytes, script: Script | None = None) -> Any:
        if not self._breaker.allows():
            raise RedisDown
        try:
            reply = self._send(command, script)
        except redis.RedisError as error:
            self._breaker.failed()
            log.warning("redis failed", error=type(error).__name__)
            raise RedisDown from error
        self._breaker.succeeded()
        return reply

    def _send(self, command: bytes, script: Script | None) -> Any:
        wire = self._wire()
        try:
            return wire.call(command)
        except NoScriptError:
            if script is None:
                raise
        wire.call(pack("SCRIPT", "LOAD", script.source))
        return wire.call(command)

    def _wire(self) -> Wire:
        own, now = self._own, time.monotonic()
        wire: Wire | None = getattr(own, "wire", None)
        if wire is None:
            # Not the pool's own, which it would count for ever: threads come and go.
            connection = self._pool.connection_class(**self._pool.connection_kwargs)
            wire = own.wire = Wire(connection)
        elif now - own.used_at > _IDLE_SECONDS and wire.is_dead():
            wire.close()
        own.used_at = now
        return wire


@cache
def scripts() -> Scripts:
    """This process's."""
    return Scripts(redis_client())
