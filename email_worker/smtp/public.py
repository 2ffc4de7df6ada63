"""SMTP to the Internet alone: where a client names the server, it names none of our network."""

import ipaddress
import smtplib
import socket
from typing import Any

from carillon.errors import PermanentFailure, Reason

# Global by the registries, and yet a way inside: IPv4 in IPv6 (RFC 6052, RFC 4291), Azure's host.
_INSIDE = tuple(
    ipaddress.ip_network(network)
    for network in ("::/96", "64:ff9b::/96", "2002::/16", "fec0::/10", "168.63.129.16/32")
)


class PublicSMTP(smtplib.SMTP):
    """Connects to public addresses alone."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return connect(host, port, timeout)


class PublicSMTPOverTLS(smtplib.SMTP_SSL):
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
    for address in addresses:
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
    return not any(found.version == net.version and found in net for net in _INSIDE)
