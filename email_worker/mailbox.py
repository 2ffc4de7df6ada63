"""Email addresses: what may stand in an envelope and a header, and what may not.

Stricter than RFC 5322: an address is one mailbox, `dot-atom@domain`. Quoted local parts, comments,
lists, groups and address literals are refused; nobody's mail provider hands them out, and each has
served to smuggle a second recipient.
"""

import re
from functools import lru_cache

import idna
import msgspec

LOCAL_OCTETS = 64
DOMAIN_OCTETS = 253

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+"
_LOCAL = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


class InvalidMailbox(ValueError):
    """Not an address that mail can be sent to; the text does not repeat it."""


class Mailbox(msgspec.Struct, frozen=True):
    """`local@domain`; the domain is ASCII (IDNA 2008), the local part may not be."""

    local: str
    domain: str

    @property
    def address(self) -> str:
        """As in an envelope: `local@domain`."""
        return f"{self.local}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """True where only a server with SMTPUTF8 (RFC 6531) can take it."""
        return not self.local.isascii()


def parse_mailbox(text: str) -> Mailbox:
    """Raises InvalidMailbox."""
    local, at, domain = text.rpartition("@")
    if not at or not _LOCAL.fullmatch(local):
        raise InvalidMailbox("not of the form local@domain")
    # Beyond ASCII, no spaces, controls, direction marks or surrogates.
    if not local.isascii() and not local.isprintable():
        raise InvalidMailbox("characters that cannot be printed")
    if len(local.encode()) > LOCAL_OCTETS:
        raise InvalidMailbox("the part before the @ is too long")
    return Mailbox(local, _ascii_domain(domain))


@lru_cache(maxsize=4096)
def _ascii_domain(domain: str) -> str:
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError) as error:
            raise InvalidMailbox("the domain is not an internationalised name") from error
    if len(domain) > DOMAIN_OCTETS or not _DOMAIN.fullmatch(domain):
        raise InvalidMailbox("the domain is not a host name")
    return domain
