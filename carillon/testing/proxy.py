"""A TCP proxy to put on a link between two processes, so that a test can cut or stall it."""

import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from urllib.parse import urlsplit, urlunsplit

CHUNK = 65_536
DEFAULT_PORTS = {"redis": 6379, "amqp": 5672, "postgresql": 5432, "smtp": 25}


class TCPProxy:
    """Listens on a free loopback port and forwards to `target`.

    `cut()` closes every connection and refuses new ones; `black_hole()` keeps them open and
    carries nothing, as a network partition does; `heal()` ends both. `made` counts connections.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._connecting_to = 0
        self.made = 0
        self._flowing = threading.Event()
        self._flowing.set()
        self._cut = False
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._accepting = self._thread(self._accept)

    @classmethod
    def in_front_of(cls, url: str) -> "TCPProxy":
        """A proxy to the server of `url` (redis, amqp, postgresql or smtp)."""
        parts = urlsplit(url)
        return cls((parts.hostname or "127.0.0.1", parts.port or DEFAULT_PORTS[parts.scheme]))

    def reroute(self, url: str) -> str:
        """`url` with its credentials and path, by way of this proxy."""
        return rerouted(url, self.port)

    def lead_to(self, port: int) -> None:
        """New connections lead there, as when a load balancer takes a server out; old ones stay."""
        with self._lock:
            self._target = (self._target[0], port)

    def leads_to(self, port: int) -> bool:
        """Whether any connection still leads there, one that is being made included."""
        with self._lock:
            connecting, connections = self._connecting_to == port, list(self._open)
        return connecting or any(_peer_port(each) == port for each in connections)

    def cut(self) -> None:
        """Close every connection; new ones are closed as soon as they are made."""
        with self._lock:
            self._cut = True
            connections, self._open = list(self._open), set()
        for connection in connections:
            _close(connection)

    def black_hole(self) -> None:
        """Carry nothing more, and tell nobody."""
        self._flowing.clear()

    def heal(self) -> None:
        """Carry on. What was stalled is delivered late."""
        self._cut = False
        self._flowing.set()

    def close(self) -> None:
        """End the proxy and every connection through it."""
        self._closed = True
        # Closing alone does not wake a thread out of accept().
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._flowing.set()
        self._accepting.join(timeout=5)

    def __enter__(self) -> "TCPProxy":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.made += 1
            far = self._connect()
            with self._lock:
                self._connecting_to = 0
                # It may have been cut meanwhile.
                ends = {near, far} if far and not self._cut else set()
                self._open |= ends
            if far and ends:
                self._thread(partial(self._carry, near, far))
                self._thread(partial(self._carry, far, near))
            else:
                _close(near)
                if far:
                    _close(far)

    def _connect(self) -> socket.socket | None:
        with self._lock:
            if self._cut:
                return None
            target = self._target
            self._connecting_to = target[1]
        try:
            far = socket.create_connection(target, timeout=5)
        except OSError:
            return None
        far.settimeout(None)
        return far

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError, ValueError):
            while True:
                # Wait for bytes without taking them: what is stalled must not be lost on a cut.
                readable, _, _ = select.select([source], [], [], 0.5)
                if not readable:
                    continue
                if not self._flowing.wait(0.5):
                    continue
                chunk = source.recv(CHUNK)
                if not chunk:
                    break
                sink.sendall(chunk)
        with self._lock:
            self._open -= {source, sink}
        _close(source)
        _close(sink)

    @staticmethod
    def _thread(target: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=target, name="proxy", daemon=True)
        thread.start()
        return thread


def rerouted(url: str, port: int) -> str:
    """`url` with its credentials and path, to `port` of loopback."""
    parts = urlsplit(url)
    credentials, at, _host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{credentials}{at}127.0.0.1:{port}"))


def _peer_port(connection: socket.socket) -> int:
    try:
        return int(connection.getpeername()[1])
    except OSError:
        return 0


def _close(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
