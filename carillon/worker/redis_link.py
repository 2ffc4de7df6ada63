"""A lean link to Redis: one connection a thread, one packet for several commands."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import redis
import structlog

from carillon.redis_client import MOST_CONNECTIONS
from carillon.redis_wire import Argument, Wire, pack

log = structlog.get_logger(__name__)

Command = tuple[Argument, ...]

TIMEOUT_SECONDS = 1.0
# While Redis is known to be away only one thread looks, this often; the others go without.
PROBE_EVERY_SECONDS = 0.5


class RedisUnavailable(Exception):
    """No usable answer from Redis; whether the commands took effect is unknown."""


class RedisLink:
    """Runs commands for any thread; close it when no thread uses it any more.

    Commands are repeated once, on a new connection, if the old one turns out to be closed, as all
    are after a restart of Redis: callers send only what may happen twice.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """None is TIMEOUT_SECONDS."""
        seconds = TIMEOUT_SECONDS if timeout is None else timeout
        self._pool = redis.ConnectionPool.from_url(
            url,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            retry=None,
            max_connections=MOST_CONNECTIONS,
        )
        self._clock = clock
        self._local = threading.local()
        self._guard = threading.Lock()
        self._away_until = 0.0
        self._away = False
        self._probing = False

    def run(self, *commands: Command) -> list[Any]:
        """The replies, in order; all commands travel in one packet, without a transaction.

        Raises RedisUnavailable: at once while Redis is known to be away.
        """
        probing = self._away and self._may_probe()
        try:
            replies = self._exchange(commands)
        except (redis.RedisError, OSError, UnicodeError, ValueError) as error:
            self._lost(error)
            raise RedisUnavailable(type(error).__name__) from error
        finally:
            if probing:
                self._probing = False
        if self._away:
            self._away = False
            log.info("redis is back")
        return replies

    def evaluate(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """The reply of a Lua script. Raises RedisUnavailable."""
        return self.run(("EVAL", script, len(keys), *keys, *arguments))[0]

    def ping(self) -> None:
        """Raises RedisUnavailable where Redis does not answer."""
        self.run(("PING",))

    def close(self) -> None:
        """Close every thread's connection."""
        self._pool.disconnect()

    def _exchange(self, commands: tuple[Command, ...]) -> list[Any]:
        wire, count = self._wire(), len(commands)
        packet = b"".join([pack(*command) for command in commands])
        if wire.is_open:
            try:
                return wire.exchange(packet, count)
            except redis.ConnectionError:
                # The connection was old; a new one answers, or tells that Redis is away.
                pass
        return wire.exchange(packet, count)

    def _wire(self) -> Wire:
        wire: Wire | None = getattr(self._local, "wire", None)
        if wire is None:
            wire = self._local.wire = Wire(self._pool.get_connection())
        return wire

    def _may_probe(self) -> bool:
        with self._guard:
            if self._probing or self._clock() < self._away_until:
                raise RedisUnavailable("away")
            self._probing = True
            return True

    def _lost(self, error: Exception) -> None:
        if not self._away:
            log.warning("redis is unavailable", error=type(error).__name__)
        self._away = True
        self._away_until = self._clock() + PROBE_EVERY_SECONDS
