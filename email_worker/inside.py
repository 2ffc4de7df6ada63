"""Addresses that lead inside, although registries count them as the Internet's."""

import ipaddress
from typing import Final

# IPv4 in IPv6 (RFC 4291, RFC 6052, RFC 3056), site-local IPv6 (RFC 3879), and Azure's metadata.
INSIDE: Final = tuple(
    ipaddress.ip_network(network)
    for network in ("::/96", "64:ff9b::/96", "2002::/16", "fec0::/10", "168.63.129.16/32")
)
