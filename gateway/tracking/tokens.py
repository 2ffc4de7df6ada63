"""Tokens of tracking links: signed, so that they lead nowhere but where the sender meant.

The form is that of the unsubscribe links: base64url, without padding, of one byte (version and
kind), the notification's UUID, for a click the whole target, and the first 16 bytes of an
HMAC-SHA-256 over all of that. What is not signed by us is followed nowhere: no open redirect.
"""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

# Bytes. With its token a longer one would not fit into a request line (4,094 at gunicorn).
TARGET_MOST: Final = 2_000
TOKEN_LENGTH: Final = 3_000

_OPEN = 0x21
_CLICK = 0x22
_UUID_BYTES = 16
_MAC_BYTES = 16
# Keeps these signatures apart from whatever else the same secret signs.
_PURPOSE = b"carillon tracking link\n"


@dataclass(frozen=True, slots=True)
class TrackedLink:
    """What a token says; an open has no target."""

    notification: UUID
    target: str = ""


class TrackingSigner:
    """Makes tokens with the first of `secrets`, and reads those that any of them made."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._keyed = tuple(hmac.new(s.encode(), _PURPOSE, "sha256") for s in secrets)

    def token(self, link: TrackedLink) -> str:
        """URL-safe characters alone. Raises ValueError for a target that may not be followed."""
        if link.target and not may_be_followed(link.target):
            raise ValueError("not a target of a tracked link")
        kind = _CLICK if link.target else _OPEN
        payload = bytes([kind]) + link.notification.bytes + link.target.encode()
        signed = payload + _mac(self._keyed[0], payload)
        return urlsafe_b64encode(signed).rstrip(b"=").decode("ascii")

    def read(self, token: str) -> TrackedLink | None:
        """What `token` says; None where nobody with our secrets said it."""
        signed = _decoded(token)
        if len(signed) < 1 + _UUID_BYTES + _MAC_BYTES:
            return None
        payload, mac = signed[:-_MAC_BYTES], signed[-_MAC_BYTES:]
        # All of them, so that the time does not tell which.
        genuine = [hmac.compare_digest(mac, _mac(keyed, payload)) for keyed in self._keyed]
        return _link(payload) if any(genuine) else None


def may_be_followed(target: str) -> bool:
    """An absolute web address that fits into a token."""
    try:
        parts = urlsplit(target)
        size = len(target.encode())
    except ValueError:
        return False
    has_controls = any(character <= " " for character in target)
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and size <= TARGET_MOST
        and not has_controls
    )


def _link(payload: bytes) -> TrackedLink | None:
    kind, rest = payload[0], payload[1 + _UUID_BYTES :]
    notification = UUID(bytes=payload[1 : 1 + _UUID_BYTES])
    if kind == _OPEN and not rest:
        return TrackedLink(notification)
    if kind != _CLICK:
        return None
    target = rest.decode()
    return TrackedLink(notification, target) if may_be_followed(target) else None


def _mac(keyed: hmac.HMAC, payload: bytes) -> bytes:
    own = keyed.copy()
    own.update(payload)
    return own.digest()[:_MAC_BYTES]


def _decoded(token: str) -> bytes:
    """Empty where it is no base64url, or not the one spelling of what it says."""
    if not 0 < len(token) <= TOKEN_LENGTH or not token.isascii():
        return b""
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return b""
    return raw if urlsafe_b64encode(raw).rstrip(b"=") == token.encode() else b""
