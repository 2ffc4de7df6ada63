"""The tree of a parsed template. `at` is the offset in the source, in characters."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Constant:
    """A text, a number, true, false or none. `text` is a number as it was written."""

    at: int
    value: str | int | float | bool | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    at: int
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """`of.name` or `of[key]`."""

    at: int
    of: "Expression"
    key: "Expression"


@dataclass(frozen=True, slots=True)
class Filter:
    """`of | name(arguments, keyword=…)`."""

    at: int
    of: "Expression"
    name: str
    arguments: tuple["Expression", ...] = ()
    keywords: tuple[tuple[str, "Expression"], ...] = ()


@dataclass(frozen=True, slots=True)
class Test:
    """`of is name(arguments)`, or `is not`."""

    at: int
    of: "Expression"
    name: str
    arguments: tuple["Expression", ...] = ()
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Unary:
    """`not x` or `-x`."""

    at: int
    operator: str
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, `~`, comparisons, `in`, `and`, `or`."""

    at: int
    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Condition:
    """`then if test else otherwise`."""

    at: int
    test: "Expression"
    then: "Expression"
    otherwise: "Expression | None"


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b]`."""

    at: int
    items: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One of the few functions: `range(…)`, `loop.cycle(…)`."""

    at: int
    function: str
    arguments: tuple["Expression", ...]


Expression: TypeAlias = (
    Constant | Name | Member | Filter | Test | Unary | Binary | Condition | ListOf | Call
)


@dataclass(frozen=True, slots=True)
class Text:
    """What is output as it is."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Output:
    """`{{ expression }}`."""

    at: int
    expression: Expression


@dataclass(frozen=True, slots=True)
class If:
    """Branches in order; the test of `else` is None."""

    at: int
    branches: tuple[tuple[Expression | None, "Body"], ...]


@dataclass(frozen=True, slots=True)
class For:
    """`{% for targets in iterable if condition %}body{% else %}otherwise{% endfor %}`."""

    at: int
    targets: tuple[str, ...]
    iterable: Expression
    condition: Expression | None
    body: "Body"
    otherwise: "Body"


@dataclass(frozen=True, slots=True)
class Set:
    """`{% set name = value %}`."""

    at: int
    name: str
    value: Expression


Statement: TypeAlias = Text | Output | If | For | Set
Body: TypeAlias = tuple[Statement, ...]


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and all within it."""
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(_children(node))


def _children(node: Expression) -> tuple[Expression, ...]:
    match node:
        case Member():
            return (node.of, node.key)
        case Filter():
            return (node.of, *node.arguments, *(value for _, value in node.keywords))
        case Test():
            return (node.of, *node.arguments)
        case Unary():
            return (node.operand,)
        case Binary():
            return (node.left, node.right)
        case Condition():
            return (node.test, node.then, *((node.otherwise,) if node.otherwise else ()))
        case ListOf():
            return node.items
        case Call():
            return node.arguments
        case _:
            return ()
