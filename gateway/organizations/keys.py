"""The form of API keys: `org_live_<10 public characters>_<43 secret ones>`."""

import hashlib
import re
import secrets
import string
from dataclasses import dataclass

from carillon.contracts.messages import Mode

_PUBLIC_ALPHABET = string.ascii_lowercase + string.digits
_PUBLIC_LENGTH = 10
_SECRET_BYTES = 32

_FORM = re.compile(r"(org_(?:live|test)_[a-z0-9]{10})_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made: the only time its text is known."""

    text: str
    prefix: str
    digest: bytes

    def __repr__(self) -> str:
        """Without the secret: it must not reach a log."""
        return f"NewKey({self.prefix}_…)"


def new_key(mode: Mode) -> NewKey:
    """A key of 256 random bits behind a public prefix of 51 more."""
    public = "".join(secrets.choice(_PUBLIC_ALPHABET) for _ in range(_PUBLIC_LENGTH))
    prefix = f"org_{mode.value}_{public}"
    text = f"{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return NewKey(text, prefix, digest_of(text))


def prefix_of(text: str) -> str | None:
    """The public part by which a key is found; None where `text` has not a key's form."""
    found = _FORM.fullmatch(text)
    return found.group(1) if found else None


def digest_of(text: str) -> bytes:
    """What is stored of a key. It is random, so a fast hash is as good as a slow one."""
    return hashlib.sha512(text.encode()).digest()
