"""One connection to Redis, as bare as hot paths want it: one write and few reads for its commands.

redis-py makes the connection: address, TLS, password, database, protocol. What it does for each
command after that (health checks, push messages, retries, a poll before every read and write)
takes longer than Redis does, and longer than a worker's dialogue with a mail server.
"""

import socket
import ssl
import struct
from contextlib import suppress
from typing import Any

import hiredis
import redis
from redis.exceptions import NoScriptError

_BUFFER_BYTES = 65_536
_INCOMPLETE = object()

Argument = str | bytes | int | float


def pack(*parts: Argument) -> bytes:
    """A command in the Redis protocol (RESP)."""
    packed: bytes = hiredis.pack_command(parts)  # type: ignore[arg-type]
    return packed


class Wire:
    """For one thread. A reply that is late or half ends the connection; the next call makes one."""

    def __init__(self, connection: Any) -> None:
        """`connection` is redis-py's; it need not be connected."""
        self._connection = connection
        self._socket: socket.socket | None = None
        self._reader = hiredis.Reader()
        self._buffer = bytearray(_BUFFER_BYTES)

    def call(self, command: bytes) -> Any:
        """The reply to one packed command. Raises as `exchange`."""
        return self.exchange(command, 1)[0]

    def exchange(self, packet: bytes, count: int) -> list[Any]:
        """The replies to `packet`, which is `count` packed commands one after the other.

        Raises redis.exceptions.NoScriptError or ResponseError for the first that Redis refused.
        Else redis.TimeoutError where it did not answer in time, or ConnectionError: what was run
        is then unknown.
        """
        connected = self._socket or self._connect()
        try:
            connected.sendall(packet)
            replies = self._replies(connected, count)
        except (TimeoutError, BlockingIOError) as error:
            self.close()
            raise redis.TimeoutError("Redis did not answer in time") from error
        except OSError as error:
            self.close()
            raise redis.ConnectionError(type(error).__name__) from error
        except BaseException:
            # Half a reply may be waiting.
            self.close()
            raise
        for reply in replies:
            if isinstance(reply, hiredis.ReplyError):
                # One of its own: a local's traceback would hold this frame, and so this object.
                raise _refusal(str(reply))
        return replies

    @property
    def is_open(self) -> bool:
        """Whether there is a connection; Redis may have closed its end."""
        return self._socket is not None

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

    def __del__(self) -> None:
        # With its thread; redis-py's object waits in a cycle until somebody collects it.
        with suppress(Exception):
            self.close()

    def _connect(self) -> socket.socket:
        self._connection.connect()
        # redis-py offers no public way to its socket.
        connected: socket.socket = self._connection._sock
        if not isinstance(connected, ssl.SSLSocket):
            _bound_by_the_kernel(connected)
        self._reader = hiredis.Reader(notEnoughData=_INCOMPLETE)
        self._socket = connected
        return connected

    def _replies(self, connected: socket.socket, count: int) -> list[Any]:
        reader, buffer = self._reader, self._buffer
        replies: list[Any] = []
        while True:
            received = connected.recv_into(buffer)
            if received == 0:
                raise redis.ConnectionError("Redis closed the connection")
            try:
                reader.feed(buffer, 0, received)  # type: ignore[arg-type]
                while (reply := reader.gets()) is not _INCOMPLETE:
                    if not isinstance(reply, hiredis.PushNotification):
                        replies.append(reply)
                        if len(replies) == count:
                            return replies
            except hiredis.ProtocolError as error:
                raise redis.ConnectionError("Redis answered something else") from error


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
    return NoScriptError(said) if said.startswith("NOSCRIPT") else redis.ResponseError(said)
