"""A user's attributes: free-form, bounded, merged."""

from collections.abc import Mapping
from typing import Any

import msgspec

ATTRIBUTES_BYTES = 16_384
ATTRIBUTES_DEPTH = 8


class Unacceptable(ValueError):
    """A value that cannot be stored; the text says why and is meant for the client."""


def merge_object(said: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """The top level of `said` after `change`; None removes a key."""
    merged = {**said, **change}
    return {key: value for key, value in merged.items() if value is not None}


def check_attributes(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """`attributes` itself. Raises Unacceptable where it is too large or too deep."""
    level: list[object] = [attributes]
    depth = 0
    while level:
        depth += 1
        if depth > ATTRIBUTES_DEPTH + 1:
            raise Unacceptable(f"Nested more than {ATTRIBUTES_DEPTH} levels deep.")
        level = [inner for item in level for inner in _inside(item)]
    if len(msgspec.json.encode(attributes)) > ATTRIBUTES_BYTES:
        raise Unacceptable(f"May have {ATTRIBUTES_BYTES} bytes of JSON at most.")
    return attributes


def _inside(item: object) -> list[object]:
    if isinstance(item, dict):
        return list(item.values())
    return item if isinstance(item, list) else []
