"""A lean link to Redis: one connection a thread, one packet for several commands.

The client's own `execute_command` costs a worker more CPU than the SMTP dialogue does. The client
opens the connection (TLS, password, database); packing and reading is done here.
"""

import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import hiredis
import redis
import structlog

log = structlog.get_logger(__name__)

Command = tuple[str | bytes | int | float, ...]

TIMEOUT_SECONDS = 1.0
# While Redis is known to be away only one thread looks, this often; the others go without.
PROBE_EVERY_SECONDS = 0.5
RECEIVE = 16 * 1024  # octets at once
_INCOMPLETE = object()


def _packed(commands: tuple[Command, ...]) -> bytes:
    """The commands in Redis's protocol (RESP): half the time of the client's own packing."""
    parts: list[bytes] = []
    for command in commands:
        parts.append(b"*%d\r\n" % len(command))
        for word in command:
            octets = word if isinstance(word, bytes) else str(word).encode()
            parts.append(b"$%d\r\n%b\r\n" % (len(octets), octets))
    return b"".join(parts)


class RedisUnavailable(Exception):
    """No usable answer from Redis; whether the commands took effect is unknown."""


class _Wire:
    """One connection that the client has opened; from there on the bytes are ours."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        # redis-py offers no public way to its socket; its own reading costs as much as a command.
        self._socket: socket.socket = connection._sock
        self._reader = hiredis.Reader(replyError=redis.ResponseError, notEnoughData=_INCOMPLETE)

    def exchange(self, packet: bytes, count: int) -> list[Any]:
        """The replies to the `count` commands in `packet`. Raises RedisError, also for an error."""
        replies: list[Any] = []
        try:
            self._socket.sendall(packet)
            while len(replies) < count:
                reply = self._reader.gets()
                if reply is _INCOMPLETE:
                    data = self._socket.recv(RECEIVE)
                    if not data:
                        raise redis.ConnectionError("Redis closed the connection")
                    self._reader.feed(data)
                elif isinstance(reply, redis.ResponseError):
                    raise reply
                elif not isinstance(reply, hiredis.PushNotification):
                    replies.append(reply)
        except TimeoutError as error:
            raise redis.TimeoutError("Redis did not answer in time") from error
        except hiredis.ProtocolError as error:
            raise redis.ConnectionError("Redis answered something else") from error
        except OSError as error:
            raise redis.ConnectionError(str(error)) from error
        return replies


class RedisLink:
    """Runs commands for any thread; close it when no thread uses it any more.

    Commands are repeated once, on a new connection, if the old one turns out to be closed, as all
    are after a restart of Redis: callers send only what may happen twice.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = redis.ConnectionPool.from_url(
            url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=None
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
        if getattr(self._local, "wire", None) is not None:
            try:
                return self._exchange_once(commands)
            except redis.TimeoutError:
                raise
            except redis.ConnectionError:
                # The connection was old; a new one answers, or tells that Redis is away.
                pass
        self._local.wire = _Wire(self._pool.get_connection())
        return self._exchange_once(commands)

    def _exchange_once(self, commands: tuple[Command, ...]) -> list[Any]:
        wire: _Wire = self._local.wire
        try:
            return wire.exchange(_packed(commands), len(commands))
        except BaseException:
            # Replies still on the way would answer the next question: never reuse it.
            self._local.wire = None
            wire.connection.disconnect()
            self._pool.release(wire.connection)
            raise

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
