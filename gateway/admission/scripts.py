"""Runs the Lua scripts beside this file, and stops asking Redis for a while when it is down."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import redis
import structlog

from carillon.clients.breaker import CircuitBreaker
from gateway.connections import redis_client

log = structlog.get_logger(__name__)

_FOLDER = Path(__file__).parent

Argument = str | bytes | int | float


class RedisDown(Exception):
    """Redis did not answer in time, or failed so often of late that it was not asked."""


class Scripts:
    """Every script of admission, against one Redis.

    A stalled Redis costs each of the first few requests its timeout; then the breaker opens and
    requests take the slower ways that need no Redis.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._breaker = CircuitBreaker(failures=3, cooldown=2.0)
        self.enter = client.register_script(_source("gcra", "enter"))
        self.look = client.register_script(_source("look"))
        self.reserve = client.register_script(_source("gcra", "reserve"))
        self.release = client.register_script(_source("gcra", "release"))

    def run(self, script: Any, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """The script's reply. Raises RedisDown: whether it ran is then unknown."""
        return self._guarded(lambda: script(keys=keys, args=args))

    def read(self, keys: Sequence[str]) -> list[bytes | None]:
        """MGET. Raises RedisDown."""
        found: list[bytes | None] = self._guarded(lambda: self._client.mget(keys))
        return found

    def delete(self, key: str) -> None:
        """DEL. Raises RedisDown."""
        self._guarded(lambda: self._client.delete(key))

    def write(self, key: str, value: Argument, *, seconds: int) -> None:
        """SET with a time to live. Raises RedisDown."""
        self._guarded(lambda: self._client.set(key, value, ex=seconds))

    def _guarded(self, call: Any) -> Any:
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


def _source(*names: str) -> str:
    return "\n".join((_FOLDER / f"{name}.lua").read_text() for name in names)


@cache
def scripts() -> Scripts:
    """This process's."""
    return Scripts(redis_client())
