"""The values a template works with: plain JSON, and nothing that has methods."""

from collections.abc import Mapping
from typing import Any

from carillon.rendering import limits
from carillon.rendering.errors import InvalidVariables

INTEGER_MOST = 2**64 - 1


class _Hidden:
    """An attribute that is not there.

    The engine falls back from a key to an attribute: `order.copy` would find dict's method.
    """

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        raise AttributeError


class Record(dict[str, Any]):
    """A JSON object without dict's methods: its keys are all that a template finds in it."""

    __slots__ = ()


class Rows(list[Any]):
    """A JSON array without list's methods."""

    __slots__ = ()


for _kind, _builtin in ((Record, dict), (Rows, list)):
    for _name in vars(_builtin):
        if not _name.startswith("_"):
            setattr(_kind, _name, _Hidden())


class Intake:
    """Copies the variables of one render, and weighs them."""

    def __init__(self) -> None:
        self.weight = 0

    def take(self, variables: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
        """Those of `names` that are given; null counts as not given. Raises InvalidVariables."""
        taken: dict[str, Any] = {}
        for name in names:
            value = variables.get(name)
            if value is not None:
                taken[name] = self._copy(value, name, 0)
        return taken

    def _copy(self, value: Any, name: str, depth: int) -> Any:
        # Exact types: a subclass could bring methods and attributes of its own.
        kind = type(value)
        self.weight += 8
        if kind is str:
            self.weight += len(value)
        elif kind is dict:
            value = self._record(value, name, depth + 1)
        elif kind is list or kind is tuple:
            self._check_depth(name, depth + 1)
            value = Rows([self._copy(item, name, depth + 1) for item in value])
        elif kind is int:
            if not -INTEGER_MOST <= value <= INTEGER_MOST:
                raise InvalidVariables(f"A number in {name} is too large.")
        elif kind is not bool and kind is not float and value is not None:
            raise InvalidVariables(f"{name} has a value that is not JSON: {kind.__name__}.")
        if self.weight > limits.VARIABLES_MOST:
            most = limits.VARIABLES_MOST
            raise InvalidVariables(f"The variables are too large: {most} characters at most.")
        return value

    def _record(self, value: dict[Any, Any], name: str, depth: int) -> Record:
        self._check_depth(name, depth)
        pairs = []
        for key, item in value.items():
            if type(key) is not str:
                raise InvalidVariables(f"{name} has a key that is not a text.")
            self.weight += len(key)
            pairs.append((key, self._copy(item, name, depth)))
        return Record(pairs)

    def _check_depth(self, name: str, depth: int) -> None:
        if depth > limits.VARIABLES_DEPTH_MOST:
            raise InvalidVariables(f"{name} is nested too deeply.")
