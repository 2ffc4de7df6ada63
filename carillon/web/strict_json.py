"""JSON as RFC 8259 means it, and as PostgreSQL can store it.

Refused, each with a reason: invalid UTF-8, duplicate keys, NaN and infinities, integers beyond
64 bits, NUL and lone surrogates inside strings, nesting deeper than the parser's stack.
"""

import json
import math
import re
from typing import Any, NoReturn

INTEGER_MOST = 2**63 - 1

_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class InvalidJSONText(ValueError):
    """Not acceptable JSON; the message says why, without repeating the text."""


def loads(raw: bytes) -> Any:
    """The value of a JSON text. Raises InvalidJSONText."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidJSONText("it is not UTF-8") from None
    try:
        value = _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise InvalidJSONText(f"{error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise InvalidJSONText("it is nested too deeply") from None
    if _SUSPECT_ESCAPE.search(raw):
        _refuse_unstorable(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidJSONText("an object has the same key twice")
    return found


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise InvalidJSONText("an integer does not fit in 64 bits")
    value = int(digits)
    if not -INTEGER_MOST - 1 <= value <= INTEGER_MOST:
        raise InvalidJSONText("an integer does not fit in 64 bits")
    return value


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise InvalidJSONText("a number is out of range")
    return value


def _constant(name: str) -> NoReturn:
    raise InvalidJSONText(f"{name} is not JSON")


_decoder = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _refuse_unstorable(value: Any) -> None:
    """Walk without recursion: the parser already bounded the depth, not our stack's share."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if "\x00" in item:
                raise InvalidJSONText("a string has a NUL character")
            if not _encodable(item):
                raise InvalidJSONText("a string has half of a surrogate pair")
        elif isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
