"""Runs compiled templates on minijinja, within bounds of output, steps and processor time."""

import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from minijinja import Environment, TemplateError

from carillon.rendering import limits
from carillon.rendering.audience import Audience
from carillon.rendering.codegen import Generated
from carillon.rendering.errors import (
    BrokenTemplate,
    MissingVariables,
    OutputTooLarge,
    Problem,
    RenderFailed,
    RenderingError,
    TooMuchWork,
)
from carillon.rendering.filters import FilterFailed, OwnFilters, is_mapping, numbers
from carillon.rendering.lexer import problem_at
from carillon.rendering.localized import LocalizedFilters

# What an environment is born with (minijinja 3.0) beside the words of our language. It is removed:
# a second line of defence behind the parser, which refuses every word that is not ours.
_NOT_OURS: Final = (
    *("attr", "batch", "bool", "chain", "dictsort", "e", "escape", "filesizeformat", "format"),
    *("groupby", "indent", "items", "join", "list", "pluralize", "pprint", "reject", "replace"),
    *("safe", "select", "slice", "string", "striptags", "tojson", "truncate", "wordwrap", "zip"),
)
_GLOBALS_NOT_OURS: Final = ("cycler", "debug", "dict", "joiner", "namespace", "range")
_TEXT_MOST: Final = 4_000_000
_UNDEFINED: Final = re.compile(r"`([^`]+)` is undefined")
_TYPES: Final = re.compile(r"tried to use (\S+) operator on unsupported types (\w+) and (\w+)")


class _Charge:
    """Output at the start of each turn of a loop: the length of the text that follows."""

    __slots__ = ("length",)

    def __init__(self, length: int) -> None:
        self.length = length


class _Meter:
    """What one render may still use. Sees every value that is output, named or built."""

    __slots__ = ("cost", "deadline", "output", "text", "turns", "turns_per_check", "weight")

    def __init__(self, cost: int) -> None:
        self.cost = cost
        self.start(0, 0)

    def start(self, output: int, weight: int) -> None:
        """Begin a render that may output `output` characters, on values of `weight`."""
        self.output = output
        self.text = _TEXT_MOST
        self.turns = 0
        self.deadline = 0.0
        self.weight = weight
        # Where a turn can take long, the clock is looked at in every one.
        self.turns_per_check = 64 if self.cost * weight < limits.SCANNED_MOST / 64 else 1

    def see(self, value: Any) -> Any:
        """The engine's finalizer: what it returns is escaped and written."""
        kind = type(value)
        if kind is str:
            self.output -= len(value)
            if self.output < 0:
                raise _OutOfBounds("output")
            return value
        if kind is _Charge:
            self.turn(value.length)
            return ""
        if value is None:
            return ""
        if kind is int or kind is float or kind is bool:
            return value
        raise FilterFailed(-1, "A list or an object cannot be written: loop over it, or join it.")

    def build(self, length: int) -> None:
        """A text of `length` was made: what follows may work on it, too."""
        if self.cost * (self.weight + length) > limits.SCANNED_MOST:
            raise _OutOfBounds("time")

    def turn(self, length: int = 0) -> None:
        """A loop takes its next row, and outputs a text of `length`."""
        self.text -= length
        if self.text < 0:
            raise _OutOfBounds("output")
        if self.turns % self.turns_per_check == 0:
            # The thread's own time: a busy machine must not fail an honest template.
            now = time.thread_time()
            if not self.deadline:
                self.deadline = now + limits.CPU_SECONDS
            elif now > self.deadline:
                raise _OutOfBounds("time")
        self.turns += 1


class _OutOfBounds(Exception):
    """A bound was met; the argument says which."""


@dataclass(frozen=True, slots=True)
class FieldProgram:
    """A field to compile. `limit` is in characters; `html` fields are escaped."""

    name: str
    source: str
    generated: Generated
    limit: int
    html: bool = False


class Program:
    """Compiled fields that are rendered with the same variables. Safe for many threads."""

    def __init__(self, fields: Sequence[FieldProgram]) -> None:
        """Raises BrokenTemplate where an expression is too deep for the engine."""
        self._fields = tuple(fields)
        self._literals = sum(field.generated.literals for field in fields)
        self._meter = _Meter(sum(field.generated.cost for field in fields))
        self._localized = LocalizedFilters(turn=self._meter.turn)
        # The meter and what the localized filters know of the reader belong to one render
        # at a time.
        self._lock = threading.Lock()
        try:
            self._environment = _environment(self._fields, self._meter, self._localized)
        except TemplateError as error:
            raise _refused(self._fields, error) from None

    def render(self, variables: dict[str, Any], weight: int, reader: Audience) -> dict[str, str]:
        """The text of each field, by its name. Raises RenderingError.

        `variables` come from Intake, with their `weight`.
        """
        weight += self._literals
        if self._meter.cost * weight > limits.SCANNED_MOST:
            raise TooMuchWork("This template does too much with variables of this size.")
        with self._lock:
            return {
                field.name: self._render(field, variables, weight, reader) for field in self._fields
            }

    def _render(
        self, field: FieldProgram, variables: dict[str, Any], weight: int, reader: Audience
    ) -> str:
        self._meter.start(field.limit, weight)
        self._localized.start(reader, html=field.html)
        try:
            text = self._environment.render_template(field.name, **variables)
        except TemplateError as error:
            raise _explain(field, error) from None
        except FilterFailed as error:
            raise _filter_error(field, error) from None
        except _OutOfBounds as error:
            raise _bound_error(field, str(error)) from None
        except BaseException as error:
            # A panic of the engine is no Exception; it must not end the worker's thread.
            if type(error).__name__ != "PanicException":
                raise
            raise RenderFailed("The template engine failed.", field=field.name) from None
        if field.html:
            # The engine escapes slashes, too. That protects nothing more, and links are unreadable.
            text = text.replace("&#x2f;", "/")
        if len(text) > field.limit:
            raise _bound_error(field, "output")
        return text


def _environment(
    fields: Sequence[FieldProgram], meter: _Meter, localized: LocalizedFilters
) -> Environment:
    """Raises TemplateError where the engine does not take what codegen wrote."""
    html = frozenset(field.name for field in fields if field.html)
    environment = Environment(
        undefined_behavior="strict",
        fuel=limits.FUEL,
        keep_trailing_newline=True,
        auto_escape_callback=html.__contains__,
        finalizer=meter.see,
        pycompat=False,
    )
    for name in _NOT_OURS:
        environment.remove_filter(name)
    for name in _GLOBALS_NOT_OURS:
        environment.remove_global(name)
    filters = OwnFilters(build=meter.build, turn=meter.turn)
    for name, function in {**filters.by_name(), **localized.by_name()}.items():
        environment.add_filter(name, function)
    environment.add_test("mapping", is_mapping)
    environment.add_global("_range", numbers)
    for field in fields:
        for length in field.generated.charges:
            environment.add_global(f"_charge{length}", _Charge(length))
        environment.add_template(field.name, field.generated.source)
    return environment


def _refused(fields: Sequence[FieldProgram], error: TemplateError) -> BrokenTemplate:
    field = next((field for field in fields if field.name == error.name), fields[0])
    start = error.range[0] if error.range else 0
    line, column = _place(field, field.generated.offset(start))
    message = "This expression is nested too deeply."
    return BrokenTemplate(
        [Problem(code="too_complex", message=message, field=field.name, line=line, column=column)]
    )


def _explain(field: FieldProgram, error: TemplateError) -> RenderingError:
    start = error.range[0] if error.range else 0
    line, column = _place(field, field.generated.offset(start))
    if error.kind == "OutOfFuel":
        return TooMuchWork(
            "This template takes too many steps.", field=field.name, line=line, column=column
        )
    if error.kind == "UndefinedError":
        named = _UNDEFINED.search(error.detail or "")
        if named and "(" not in named.group(1):
            return MissingVariables([named.group(1)], field=field.name, line=line, column=column)
        message = "A value that is not there is used here."
    else:
        # The engine's own words can quote values; these never do.
        types = _TYPES.search(error.detail or "")
        message = "An operation, filter or test does not fit its value here."
        if types:
            message = "{} does not work with {} and {}.".format(*types.groups())
    return RenderFailed(message, field=field.name, line=line, column=column)


def _filter_error(field: FieldProgram, error: FilterFailed) -> RenderingError:
    line, column = _place(field, error.at) if error.at >= 0 else (0, 0)
    kind = TooMuchWork if error.too_much else RenderFailed
    return kind(error.message, field=field.name, line=line, column=column)


def _bound_error(field: FieldProgram, bound: str) -> RenderingError:
    if bound == "time":
        return TooMuchWork("This template takes too long.", field=field.name)
    message = f"The rendered {field.name} is longer than {field.limit} characters."
    return OutputTooLarge(message, field=field.name)


def _place(field: FieldProgram, at: int) -> tuple[int, int]:
    problem = problem_at(field.source, at, "", "")
    return problem.line, problem.column
