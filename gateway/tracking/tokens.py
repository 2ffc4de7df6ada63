"""Tokens of tracking links: signed, so that they lead nowhere but where the sender meant.

What is signed (`carillon.signed_tokens`) is one byte (version and kind), the notification's UUID,
and for a click the whole target. What is not signed by us is followed nowhere: no open redirect.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from carillon.signed_tokens import TokenSigner

# Bytes. With its token a longer one would not fit into a request line (4,094 at gunicorn).
TARGET_MOST: Final = 2_000
TOKEN_LENGTH: Final = 3_000

_OPEN = 0x21
_CLICK = 0x22
_UUID_BYTES = 16
_PURPOSE = b"carillon tracking link\n"


@dataclass(frozen=True, slots=True)
class TrackedLink:
    """What a token says; an open has no target."""

    notification: UUID
    target: str = ""


class TrackingSigner:
    """Makes tokens with the first of `secrets`, and reads those that any of them made."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._signer = TokenSigner(_PURPOSE, secrets, longest=TOKEN_LENGTH)

    def token(self, link: TrackedLink) -> str:
        """URL-safe characters alone. Raises ValueError for a target that may not be followed."""
        if link.target and not may_be_followed(link.target):
            raise ValueError("not a target of a tracked link")
        kind = _CLICK if link.target else _OPEN
        return self._signer.sign(bytes([kind]) + link.notification.bytes + link.target.encode())

    def read(self, token: str) -> TrackedLink | None:
        """What `token` says; None where nobody with our secrets said it."""
        payload = self._signer.payload_of(token)
        return _link(payload) if len(payload) >= 1 + _UUID_BYTES else None


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
