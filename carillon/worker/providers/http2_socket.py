"""A byte stream to a server, in TLS or on this machine: one thread reads, any thread writes.

TLS runs over memory buffers under a lock: OpenSSL allows no two threads in one session.
"""

import socket
import ssl
import threading
from contextlib import suppress

READ_BYTES = 64 * 1024
# A peer that vanished is noticed within about two minutes, also where nobody calls.
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
# For how long a peer may take no byte off us.
WRITE_SECONDS = 10.0


class ConnectFailed(Exception):
    """There is no connection, and nothing was sent."""

    def __init__(self, *, timed_out: bool = False) -> None:
        super().__init__("timed out" if timed_out else "failed")
        self.timed_out = timed_out


class Channel:
    """Plain bytes over a connected socket."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def read(self) -> bytes:
        """What has arrived; empty at the end. Blocks. Raises OSError."""
        while True:
            try:
                return self._socket.recv(READ_BYTES)
            except TimeoutError:
                continue

    def write(self, data: bytes) -> None:
        """Raises OSError."""
        self._socket.sendall(data)

    def shut_down(self) -> None:
        """End both directions: a blocked `read` returns."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Release the socket."""
        self._socket.close()


class TLSChannel(Channel):
    """Bytes through TLS."""

    def __init__(
        self,
        connected: socket.socket,
        session: ssl.SSLObject,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
    ) -> None:
        super().__init__(connected)
        self._session = session
        self._incoming = incoming
        self._outgoing = outgoing
        self._lock = threading.Lock()

    def read(self) -> bytes:
        """What has arrived; empty at the end. Blocks. Raises OSError."""
        while True:
            with self._lock:
                try:
                    plain = self._session.read(READ_BYTES)
                except ssl.SSLWantReadError:
                    plain = None
                except ssl.SSLZeroReturnError:
                    return b""
                # The handshake's late messages may want an answer.
                pending = self._outgoing.read()
                if pending:
                    super().write(pending)
            if plain is not None:
                return plain
            arrived = super().read()
            if not arrived:
                return b""
            with self._lock:
                self._incoming.write(arrived)

    def write(self, data: bytes) -> None:
        """Raises OSError."""
        with self._lock:
            self._session.write(data)
            super().write(self._outgoing.read())


def connect(host: str, port: int, *, tls: bool, seconds: float) -> Channel:
    """A connection that speaks HTTP/2. Raises ConnectFailed."""
    try:
        connected = socket.create_connection((host, port), timeout=seconds)
    except TimeoutError:
        raise ConnectFailed(timed_out=True) from None
    except OSError:
        raise ConnectFailed from None
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            # Not every system has each of them.
            if hasattr(socket, name):
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        channel = _secured(connected, host) if tls else Channel(connected)
        connected.settimeout(WRITE_SECONDS)
    except TimeoutError:
        connected.close()
        raise ConnectFailed(timed_out=True) from None
    except (OSError, ValueError):
        connected.close()
        raise ConnectFailed from None
    return channel


def _secured(connected: socket.socket, host: str) -> Channel:
    """Raises OSError where the certificate is wrong or the server speaks no HTTP/2."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname=host)
    while True:
        try:
            session.do_handshake()
        except ssl.SSLWantReadError:
            connected.sendall(outgoing.read())
            arrived = connected.recv(READ_BYTES)
            if not arrived:
                raise ssl.SSLError("the server ended the handshake") from None
            incoming.write(arrived)
        else:
            break
    connected.sendall(outgoing.read())
    if session.selected_alpn_protocol() != "h2":
        raise ssl.SSLError("the server speaks no HTTP/2")
    return TLSChannel(connected, session, incoming, outgoing)
