"""One connection to Redis, as bare as the hot path wants it: one write and one read for a command.

redis-py makes the connection: address, TLS, password, database, protocol. What it does for each
command after that (health checks, push messages, retries, a poll before every read and write)
would take longer than Redis does.
"""

import socket
import ssl
import struct
from typing import Any

import hiredis
import redis
from redis.connection import ConnectionPool

_BUFFER_BYTES = 65_536
_INCOMPLETE = object()

Argument = str | bytes | int


def pack(*parts: Argument) -> bytes:
    """A command in the Redis protocol (RESP)."""
    packed: bytes = hiredis.pack_command(parts)  # type: ignore[arg-type]
    return packed


class Wire:
    """For one thread. A reply that is late or half ends the connection; the next call makes one."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._connection: Any = pool.make_connection()
        self._socket: socket.socket | None = None
        self._reader = hiredis.Reader()
        self._buffer = bytearray(_BUFFER_BYTES)

    def call(self, command: bytes) -> Any:
        """The reply to one packed command.

        Raises redis.exceptions.NoScriptError or ResponseError for what Redis refused, another
        redis.RedisError where it did not answer in time: whether it ran is then unknown.
        """
        connected = self._socket or self._connect()
        try:
            connected.sendall(command)
            reply = self._reply(connected)
        except OSError as error:
            self.close()
            raise redis.ConnectionError(type(error).__name__) from error
        except BaseException:
            # Half a reply may be waiting.
            self.close()
            raise
        if isinstance(reply, hiredis.ReplyError):
            raise _refusal(str(reply))
        return reply

    def is_dead(self) -> bool:
        """True where Redis closed it, or said something nobody asked for."""
        if self._socket is None:
            return False
        try:
            return bool(self._connection.can_read(timeout=0))
        except (redis.RedisError, OSError):
            return True

    def close(self) -> None:
        """End the connection, if there is one."""
        self._socket = None
        self._connection.disconnect()

    def _connect(self) -> socket.socket:
        self._connection.connect()
        connected: socket.socket = self._connection._sock
        if not isinstance(connected, ssl.SSLSocket):
            _bound_by_the_kernel(connected)
        self._reader = hiredis.Reader(notEnoughData=_INCOMPLETE)
        self._socket = connected
        return connected

    def _reply(self, connected: socket.socket) -> Any:
        reader, buffer = self._reader, self._buffer
        reply: Any = _INCOMPLETE
        while reply is _INCOMPLETE:
            received = connected.recv_into(buffer)
            if received == 0:
                raise redis.ConnectionError("Redis closed the connection")
            try:
                reader.feed(buffer, 0, received)  # type: ignore[arg-type]
                reply = reader.gets()
            except hiredis.ProtocolError as error:
                raise redis.InvalidResponse(str(error)) from error
        return reply


def _bound_by_the_kernel(connected: socket.socket) -> None:
    """The same timeout, kept by the kernel: Python's own polls before every read and write."""
    seconds = connected.gettimeout()
    if not seconds:
        return
    bound = struct.pack("@ll", int(seconds), int(seconds % 1 * 1e6))
    connected.settimeout(None)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, bound)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, bound)


def _refusal(said: str) -> redis.ResponseError:
    if said.startswith("NOSCRIPT"):
        return redis.exceptions.NoScriptError(said)
    return redis.ResponseError(said)
