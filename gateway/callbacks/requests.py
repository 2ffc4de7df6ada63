"""A callback as it came in, and the words to read it with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs

import msgspec

from gateway.callbacks.errors import Unreadable, Unverified
from gateway.callbacks.events import ProviderEvent

Proof = TypeVar("Proof")

# Seconds by which a provider's clock may be ahead of ours.
AHEAD = 300.0
FIELDS_MOST = 200
# Beyond it a number has hundreds of digits, or is nobody's id.
_LARGEST = 2**64


@dataclass(frozen=True, slots=True)
class Callback:
    """The request. `url` is the public one; `token` is what stands in its path for a secret."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    token: str = ""


class CallbackProvider(Protocol):
    """Verifies a provider's callbacks, and says in our words what they say."""

    name: str

    def verify(self, callback: Callback) -> None:
        """Raises Unverified; CannotVerify where that cannot be told now."""

    def read(self, callback: Callback) -> Iterator[ProviderEvent]:
        """Of a verified one; what says nothing of a delivery is left out. Raises Unreadable."""


def check_age(moment: datetime, now: datetime, replay_seconds: float) -> None:
    """Raises Unverified for what was signed too long ago, or will be."""
    age = (now - moment).total_seconds()
    if not -AHEAD <= age <= replay_seconds:
        raise Unverified("signed too long ago")


def decode_json(body: bytes | str) -> Any:
    """Raises Unreadable."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable("not JSON") from error


def decode_proof(body: bytes, shape: type[Proof]) -> Proof:
    """What stands in the body for a signature, and nothing else of it.

    Whoever sent it is not known yet: what is not asked for is skipped, and takes no memory. Raises
    Unverified.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unverified("no signature in its body") from error


def decode_form(body: bytes) -> dict[str, list[str]]:
    """The fields of a form, each with its values in their order. Raises Unreadable."""
    try:
        return parse_qs(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=FIELDS_MOST,
        )
    except ValueError as error:
        raise Unreadable("not a form") from error


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; nothing where it is none: one odd report must not cost the others."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def decode_objects(body: bytes) -> list[dict[str, Any]]:
    """One object, or the objects of an array. Raises Unreadable for what is neither."""
    said = decode_json(body)
    if not isinstance(said, dict | list):
        raise Unreadable("neither an object nor an array")
    return objects(said if isinstance(said, list) else [said])


def field(value: Any, *path: str) -> Any:
    """What stands there; None where nothing does."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text(value: Any) -> str:
    """A string or a number as a string; empty for everything else."""
    if isinstance(value, str):
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number and -_LARGEST < value < _LARGEST else ""


def unix_time(value: Any) -> datetime | None:
    """Seconds since 1970, as a number or in digits; None where they are none."""
    try:
        return datetime.fromtimestamp(float(text(value)), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def iso_time(value: Any) -> datetime | None:
    """RFC 3339 with an offset; None where it is none."""
    try:
        moment = datetime.fromisoformat(text(value))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
