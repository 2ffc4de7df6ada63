"""SMTP to servers that clients name: on the Internet alone, and each answer within bounds.

The timeout of a socket starts again with each byte. A server that sends one now and then would
keep a thread of the worker, which sends for everybody, for as long as it likes; and one that sends
without an end would fill its memory.
"""

import io
import ipaddress
import smtplib
import socket
import time
from typing import TYPE_CHECKING, Any

from carillon.errors import PermanentFailure, Reason
from email_worker.inside import INSIDE

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# Of a name with more of them, the others are not tried: each may take the whole timeout.
MOST_ADDRESSES = 3
# Octets of one answer: what any server has to say fits into a few hundred.
LONGEST_ANSWER = 64 * 1024


class _Bounded(io.RawIOBase):
    """Reads of a socket, up to a point in time rather than for so long each."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._until = 0.0
        self._octets = 0

    def begin(self, seconds: float) -> None:
        """The next answer comes within that time, from now on."""
        self._until = time.monotonic() + seconds
        self._octets = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        if self._octets > LONGEST_ANSWER:
            raise OSError("an endless answer")
        self._connection.settimeout(left)
        read = self._connection.recv_into(buffer)
        self._octets += read
        return read


class _Answering(smtplib.SMTP):
    """Each answer of the server has come whole within the timeout, or the connection is lost."""

    def getreply(self) -> tuple[int, bytes]:
        """As smtplib's."""
        if self.file is None:
            # smtplib drops it with the connection, and where TLS takes the socket's place.
            if self.sock is None:
                raise smtplib.SMTPServerDisconnected("not connected")
            self.file = io.BufferedReader(_Bounded(self.sock))
        self.file.raw.begin(self.timeout)
        try:
            return super().getreply()
        finally:
            if self.sock is not None:
                self.sock.settimeout(self.timeout)


class PublicSMTP(_Answering):
    """Connects to public addresses alone."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return connect(host, port, timeout)


class PublicSMTPOverTLS(_Answering, smtplib.SMTP_SSL):
    """The same, encrypted from the beginning."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = connect(host, port, timeout)
        try:
            context: Any = self.context
            secured: socket.socket = context.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise
        return secured


def connect(host: str, port: int, timeout: float) -> socket.socket:
    """A connection to the first public address that takes one: the address that was looked at.

    Raises OSError, or PermanentFailure where the name has no public address.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(address[0]) for *_, address in found if is_public(str(address[0]))]
    if not addresses:
        raise PermanentFailure(
            "The mail server is not at a public address.", reason=Reason.CONFIGURATION
        )
    failure: OSError | None = None
    for address in addresses[:MOST_ADDRESSES]:
        try:
            return socket.create_connection((address, port), timeout)
        except OSError as error:
            failure = error
    raise failure or OSError("no address")


def is_public(address: str) -> bool:
    """Whether an address is on the Internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    if mapped is not None:
        found = mapped
    if not found.is_global or found.is_multicast or found.is_reserved:
        return False
    return not any(found.version == net.version and found in net for net in INSIDE)
