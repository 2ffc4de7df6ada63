"""Runs the Lua scripts beside this file, and stops asking Redis for a while when it is down.

Three of them run for every notification, so they bypass most of redis-py: its client adds 40
microseconds to each call, its connection is all that is needed. One connection per thread.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import hiredis
import redis
import structlog
from redis.connection import ConnectionInterface

from carillon.clients.breaker import CircuitBreaker
from gateway.connections import redis_client

log = structlog.get_logger(__name__)

_FOLDER = Path(__file__).parent
# A connection that was idle for longer is looked at before it is used.
_IDLE_SECONDS = 1.0

Argument = str | bytes | int
Reply = TypeVar("Reply")


class RedisDown(Exception):
    """Redis did not answer in time, or failed so often of late that it was not asked."""


class Script:
    """One script: its source, and the digest that Redis knows it by once it was loaded."""

    def __init__(self, *names: str) -> None:
        self.source = "\n".join((_FOLDER / f"{name}.lua").read_text() for name in names)
        # Redis names scripts by their SHA-1; no secret depends on it.
        self.digest = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()


ENTER = Script("gcra", "enter")
RESERVE = Script("gcra", "caps", "reserve")
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
        command = pack("EVALSHA", script.digest, len(keys), *keys, *args)

        def call() -> Any:
            try:
                return self._send(command)
            except redis.exceptions.NoScriptError:
                self._send(pack("SCRIPT", "LOAD", script.source))
                return self._send(command)

        return self._guarded(call)

    def command(self, *parts: Argument) -> Any:
        """The reply to one plain command. Raises RedisDown."""
        return self._guarded(lambda: self._send(pack(*parts)))

    def _guarded(self, call: Callable[[], Reply]) -> Reply:
        if not self._breaker.allows():
            raise RedisDown
        try:
            reply = call()
        except redis.RedisError as error:
            self._breaker.failed()
            log.warning("redis failed", error=type(error).__name__)
            raise RedisDown from error
        self._breaker.succeeded()
        return reply

    def _send(self, command: bytes) -> Any:
        connection: Any = self._connection()
        try:
            connection.send_packed_command([command], check_health=False)
            return connection.read_response(disable_decoding=True)
        except redis.exceptions.ResponseError:
            raise
        except BaseException:
            # Half a reply may be waiting in it.
            connection.disconnect()
            raise

    def _connection(self) -> ConnectionInterface:
        connection: Any = getattr(self._own, "connection", None)
        now = time.monotonic()
        if connection is None:
            connection = self._own.connection = self._pool.make_connection()
        elif now - self._own.used_at > _IDLE_SECONDS and _is_dead(connection):
            connection.disconnect()
        self._own.used_at = now
        found: ConnectionInterface = connection
        return found


def pack(*parts: Argument) -> bytes:
    """A command in the Redis protocol (RESP)."""
    packed: bytes = hiredis.pack_command(parts)  # type: ignore[arg-type]
    return packed


def _is_dead(connection: ConnectionInterface) -> bool:
    """True where Redis closed it, or said something nobody asked for."""
    try:
        return bool(connection.can_read(timeout=0))
    except (redis.RedisError, OSError):
        return True


@cache
def scripts() -> Scripts:
    """This process's."""
    return Scripts(redis_client())
