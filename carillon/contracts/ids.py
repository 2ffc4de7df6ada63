"""Identifiers: a prefix that names the noun, then a UUIDv7 in hex, so that ids sort by time."""

from functools import lru_cache
from uuid import UUID

from uuid_utils import uuid7 as quick_uuid7
from uuid_utils.compat import uuid7

NOTIFICATION = "notif"
ORGANIZATION = "org"
API_KEY = "key"
USER = "user"
DEVICE = "device"
SUPPRESSION = "supp"
TEMPLATE = "tmpl"
BATCH = "batch"
DEAD_LETTER = "dl"
PROVIDER_ACCOUNT = "acct"


def new_uuid() -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random bits."""
    return uuid7()


def new_id(prefix: str) -> str:
    """`notif_0193…`: the prefix, an underscore and 32 lower-case hex digits."""
    return f"{prefix}_{quick_uuid7().hex}"


def format_id(prefix: str, value: UUID) -> str:
    """The public form of a stored UUID."""
    return f"{prefix}_{value.hex}"


def parse_id(prefix: str, text: str) -> UUID | None:
    """The UUID inside a public id, or None where `text` is not an id of that noun."""
    head, _, digits = text.partition("_")
    if head != prefix or len(digits) != 32 or not digits.isascii():
        return None
    return _uuid(digits)


def uuid_of(prefix: str, text: str) -> UUID:
    """The same of an id that we made ourselves. Raises ValueError where it is none."""
    found = parse_id(prefix, text)
    if found is None:
        raise ValueError(f"not an id of the kind {prefix}")
    return found


# An organization's id is read for each recipient of a bulk request.
@lru_cache(maxsize=1_024)
def _uuid(digits: str) -> UUID | None:
    try:
        value = UUID(hex=digits)
    except ValueError:
        return None
    return value if value.hex == digits else None
