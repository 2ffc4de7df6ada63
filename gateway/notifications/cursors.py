"""Where a list goes on: after one notification, in one order, with the same filters.

New notifications move nothing: a cursor names a place, and not a number of rows to leave out.
"""

import hashlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from django.core import signing

from carillon.contracts import ids
from gateway.notifications.selectors import Filters

# What asks for the first page.
FIRST = "first"
LENGTH_MOST = 512

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class InvalidCursor(ValueError):
    """It was not made here, or for another list."""


@dataclass(frozen=True, slots=True)
class Position:
    """The last notification of a page."""

    created_at: datetime
    id: str


def write_cursor(position: Position, organization_id: str, filters: Filters) -> str:
    """The text that leads on from `position`. It is signed: a client cannot make one up."""
    found = ids.uuid_of(ids.NOTIFICATION, position.id)
    microseconds = (position.created_at - _EPOCH) // _MICROSECOND
    return _signer().sign_object([microseconds, found.hex, _digest(organization_id, filters)])


def read_cursor(text: str, organization_id: str, filters: Filters) -> Position:
    """Raises InvalidCursor."""
    try:
        microseconds, digits, digest = _signer().unsign_object(text)
    except (signing.BadSignature, ValueError) as error:
        raise InvalidCursor("not a cursor of ours") from error
    if digest != _digest(organization_id, filters):
        raise InvalidCursor("of another list")
    return Position(_EPOCH + microseconds * _MICROSECOND, f"{ids.NOTIFICATION}_{digits}")


def _signer() -> signing.Signer:
    return signing.Signer(salt="carillon.notifications.cursor")


def _digest(organization_id: str, filters: Filters) -> str:
    text = msgspec.json.encode([organization_id, asdict(filters)], order="sorted")
    return hashlib.sha256(text).hexdigest()[:16]
