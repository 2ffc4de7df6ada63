"""The filters and tests that are ours: those that could grow without bound in the engine.

Each takes the offset in the author's source after the value, to say where it failed.
"""

from collections.abc import Callable, Iterable
from typing import Any

from carillon.rendering import limits
from carillon.rendering.links import safe_link, safe_link_end
from carillon.rendering.values import Record


class FilterFailed(Exception):
    """A filter does not fit its value; `at` is the offset in the source."""

    def __init__(self, at: int, message: str, *, too_much: bool = False) -> None:
        super().__init__(message)
        self.at = at
        self.message = message
        self.too_much = too_much


def written(value: Any) -> str:
    """A scalar as the engine writes it; null is nothing."""
    return "" if value is None else str(value)


def is_mapping(value: Any) -> bool:
    """The test `mapping`."""
    return isinstance(value, Record)


def numbers(at: int, *bounds: Any) -> list[int]:
    """`range`, of so many numbers at most."""
    if any(type(bound) is not int for bound in bounds):
        raise FilterFailed(at, "range takes whole numbers.")
    if len(bounds) == 3 and bounds[2] == 0:
        raise FilterFailed(at, "range cannot take steps of 0.")
    found = range(*bounds)
    if len(found[: limits.RANGE_MOST + 1]) > limits.RANGE_MOST:
        most = limits.RANGE_MOST
        raise FilterFailed(at, f"range gives {most} numbers at most.", too_much=True)
    return list(found)


class OwnFilters:
    """The filters.

    `build` is told the length of each text they make, `turn` of each row a loop looks at; both
    may raise.
    """

    def __init__(self, *, build: Callable[[int], None], turn: Callable[[], None]) -> None:
        self._build = build
        self._turn = turn

    def by_name(self) -> dict[str, Callable[..., Any]]:
        """As the engine's source names them."""
        return {
            "_items": items,
            "_truncate": truncate,
            "_factor": factor,
            "_link": link,
            "_link_end": link_end,
            "_join": self.join,
            "_replace": self.replace,
            "_bounded": self.bounded,
            "_chosen": self.chosen,
        }

    def join(self, value: Any, at: int, separator: Any = "") -> str:
        """The rows as text, with `separator` between them."""
        if value == "":
            return ""
        if isinstance(value, (str, dict)) or not isinstance(value, Iterable):
            raise FilterFailed(at, "join takes a list.")
        rows = list(value)
        if any(isinstance(row, (list, dict, tuple)) for row in rows):
            message = "join takes a list of texts and numbers; try map(attribute='…') first."
            raise FilterFailed(at, message)
        texts = [written(row) for row in rows]
        between = written(separator)
        self._made(at, sum(map(len, texts)) + len(between) * len(texts))
        return between.join(texts)

    def replace(self, value: Any, at: int, old: Any, new: Any) -> str:
        """Every `old` in the text by `new`."""
        text, old, new = _text(value, at, "replace"), written(old), written(new)
        if not old:
            raise FilterFailed(at, "replace cannot look for an empty text.")
        self._made(at, len(text) + text.count(old) * max(0, len(new) - len(old)))
        return text.replace(old, new)

    def bounded(self, value: Any, at: int) -> Any:
        """What a template builds and gives a name: without a bound it could double and double."""
        self._made(at, len(value) if isinstance(value, (str, list)) else 0)
        return value

    def chosen(self, value: Any) -> bool:
        """The condition of a loop, true or not: rows that are passed over take time, too."""
        self._turn()
        return bool(value)

    def _made(self, at: int, length: int) -> None:
        if length > limits.BOUND_VALUE_MOST:
            most = limits.BOUND_VALUE_MOST
            message = f"This makes a text of more than {most} characters."
            raise FilterFailed(at, message, too_much=True)
        self._build(length)


def items(value: Any, at: int) -> list[tuple[str, Any]]:
    """Pairs of key and value, for `{% for key, value in … %}`."""
    if value == "":
        return []
    if not isinstance(value, Record):
        raise FilterFailed(at, "items takes an object.")
    return [(key, value[key]) for key in value]


def truncate(value: Any, at: int, length: Any, end: Any = "…") -> str:
    """At most `length` characters, `end` included; cut between words where there are any."""
    text, mark = _text(value, at, "truncate"), written(end)
    if type(length) is not int or length < len(mark):
        raise FilterFailed(at, f"truncate takes a number of characters, {len(mark)} or more.")
    if len(text) <= length:
        return text
    kept = text[: length - len(mark)]
    if not text[len(kept)].isspace() and " " in kept:
        kept = kept[: kept.rindex(" ")]
    return kept.rstrip() + mark


def factor(value: Any, at: int) -> Any:
    """Only numbers: a text times a number would repeat the text."""
    if type(value) is not int and type(value) is not float:
        raise FilterFailed(at, "Only numbers can be multiplied.")
    return value


def link(value: Any, at: int) -> str:
    """What begins a link in HTML."""
    return safe_link(_text(value, at, "A link"))


def link_end(value: Any, at: int) -> str:
    """What goes on with a link that does not say yet of which kind it is."""
    return safe_link_end(_text(value, at, "A link"))


def _text(value: Any, at: int, name: str) -> str:
    if isinstance(value, (list, dict)):
        raise FilterFailed(at, f"{name} takes a text.")
    return written(value)
