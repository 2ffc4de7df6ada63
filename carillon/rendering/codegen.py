"""Writes the engine's source from our tree: every guard that a render relies on is put in here.

The engine never sees what an author wrote, only what this module writes: there is no second
reading of the same text that could differ from ours. Put in are: a charge for each turn of a
loop, a bound on each value that is built and named, a check on what is multiplied, defaults for
optional variables, and a check of links.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from carillon.rendering.language import FILTERS, FUNCTIONS, IN_COST, RESERVED, TESTS
from carillon.rendering.nodes import (
    Binary,
    Body,
    Call,
    Condition,
    Constant,
    Expression,
    Filter,
    For,
    If,
    ListOf,
    Member,
    Name,
    Output,
    Set,
    Statement,
    Test,
    Text,
    Unary,
    walk,
)
from carillon.rendering.parser import Parsed, builds
from carillon.rendering.scope import bound_after, loop_names

OWN_FILTERS = frozenset(
    {
        *("items", "join", "replace", "truncate"),
        *("currency", "date", "datetime", "number", "percent", "time"),
    }
)
"""Written in Python, with a bound; they take the offset in the source first."""

_MARKUP = re.compile(r"\{[{%#]|\{$")
_SAFE_MEMBER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_WITHOUT_EFFECT = frozenset({"escape", "e"})


class _As(Enum):
    """What an expression is written for."""

    VALUE = "value"  # an absent optional variable is an empty text
    PROBE = "probe"  # to ask whether it is there
    BASE = "base"  # to look a member up in it


@dataclass(frozen=True, slots=True)
class Generated:
    """The engine's source.

    `charges` are the lengths of the texts that one turn of a loop outputs: it uses a global
    `_charge<length>` for each. `cost` sums up what takes time in proportion to a value's length
    (see language.Signature), `literals` the characters of the texts in expressions.
    """

    source: str
    charges: frozenset[int]
    cost: int
    literals: int
    _marks: tuple[tuple[int, int], ...]

    def offset(self, byte: int) -> int:
        """The author's offset for a byte of `source`."""
        found = bisect_right(self._marks, byte, key=lambda mark: mark[0])
        return self._marks[found - 1][1] if found else 0


def generate(
    parsed: Parsed, *, optional: frozenset[str], links: Mapping[int, str] | None = None
) -> Generated:
    """`links` names the filter for each output (by offset) that stands in a link of HTML."""
    return _Generator(optional, links or {}).generate(parsed.body)


class _Generator:
    def __init__(self, optional: frozenset[str], links: Mapping[int, str]) -> None:
        self._optional = optional
        self._links = links
        self._chunks: list[str] = []
        self._length = 0
        self._marks: list[tuple[int, int]] = []
        self._charges: set[int] = set()
        self._cost = 0
        self._literals = 0

    def generate(self, body: Body) -> Generated:
        self._body(body)
        source = "".join(self._chunks)
        return Generated(
            source,
            frozenset(self._charges),
            self._cost,
            self._literals,
            tuple(self._marks),
        )

    def _put(self, text: str) -> None:
        self._chunks.append(text)
        self._length += len(text.encode())

    def _mark(self, at: int) -> None:
        self._marks.append((self._length, at))

    def _body(self, body: Body) -> None:
        outer = self._optional
        for statement in body:
            self._statement(statement)
            self._optional -= bound_after(statement)
        self._optional = outer

    def _statement(self, statement: Statement) -> None:
        match statement:
            case Text():
                self._text(statement.text)
            case Output():
                self._output(statement)
            case Set():
                self._set(statement)
            case If():
                self._if(statement)
            case For():
                self._for(statement)

    def _text(self, text: str) -> None:
        if _MARKUP.search(text):
            self._put("{% raw %}" + text + "{% endraw %}")
        else:
            self._put(text)

    def _output(self, output: Output) -> None:
        self._put("{{ ")
        link = self._links.get(output.at)
        if link is not None:
            self._put("(")
        self._value(output.expression)
        if link is not None:
            self._put(f")|{link}({output.at})")
        self._put(" }}")

    def _set(self, statement: Set) -> None:
        self._put(f"{{% set {statement.name} = (")
        self._value(statement.value)
        bound = any(builds(node) for node in walk(statement.value))
        self._put(f")|_bounded({statement.at}) %}}" if bound else ") %}")

    def _if(self, statement: If) -> None:
        word = "if"
        for test, body in statement.branches:
            if test is None:
                self._put("{% else %}")
            else:
                self._put(f"{{% {word} ")
                self._value(test)
                self._put(" %}")
            self._body(body)
            word = "elif"
        self._put("{% endif %}")

    def _for(self, loop: For) -> None:
        charge = _text_length(loop.body)
        self._charges.add(charge)
        self._put(f"{{% for {', '.join(loop.targets)} in ")
        self._value(loop.iterable)
        outer = self._optional
        self._optional -= loop_names(loop)
        if loop.condition is not None:
            self._put(" if (")
            self._value(loop.condition)
            self._put(")|_chosen")
        self._put(f" %}}{{{{ _charge{charge} }}}}")
        self._body(loop.body)
        self._optional = outer
        if loop.otherwise:
            self._put("{% else %}")
            self._body(loop.otherwise)
        self._put("{% endfor %}")

    def _value(self, node: Expression) -> None:
        self._expression(node, _As.VALUE)

    def _expression(self, node: Expression, wanted: _As) -> None:
        self._mark(node.at)
        match node:
            case Constant():
                literal = _literal(node)
                self._literals += len(literal)
                self._put(literal)
            case Name() | Member():
                self._path(node, wanted)
            case Filter():
                self._filter(node)
            case Test():
                self._test(node)
            case Unary():
                self._put("(not (" if node.operator == "not" else "(-(")
                self._value(node.operand)
                self._put("))")
            case Binary():
                self._binary(node)
            case Condition():
                self._condition(node)
            case ListOf():
                self._put("[")
                self._arguments(node.items)
                self._put("]")
            case Call():
                self._call(node)

    def _call(self, node: Call) -> None:
        self._cost += FUNCTIONS[node.function].cost
        own = node.function == "range"
        self._put(f"_range({node.at}, " if own else f"{node.function}(")
        self._arguments(node.arguments)
        self._put(")")

    def _path(self, node: Name | Member, wanted: _As) -> None:
        absent = {_As.VALUE: '""', _As.BASE: "{}", _As.PROBE: ""}[wanted]
        if not _root(node) & self._optional:
            absent = ""
        if absent:
            self._put("(")
        if isinstance(node, Name):
            self._put(node.name)
        else:
            # Filters bind less tightly than the dot.
            filtered = isinstance(node.of, Filter)
            self._put("(" if filtered else "")
            self._expression(node.of, _As.BASE)
            self._put(")" if filtered else "")
            self._key(node.key)
        if absent:
            self._put(f"|default({absent}))")

    def _key(self, key: Expression) -> None:
        name = key.value if isinstance(key, Constant) else None
        if isinstance(name, str) and _SAFE_MEMBER.fullmatch(name) and name not in RESERVED:
            self._put(f".{name}")
            return
        self._cost += 1
        self._put("[")
        self._value(key)
        self._put("]")

    def _filter(self, node: Filter) -> None:
        if node.name in _WITHOUT_EFFECT:
            # HTML is escaped when it is output, and nothing else is.
            self._value(node.of)
            return
        self._cost += FILTERS[node.name].cost
        probes = node.name in {"default", "d"}
        self._expression(node.of, _As.PROBE if probes else _As.VALUE)
        self._mark(node.at)
        own = node.name in OWN_FILTERS
        self._put(f"|_{node.name}({node.at}" if own else f"|{node.name}(")
        if own and node.arguments:
            self._put(", ")
        self._arguments(node.arguments)
        for index, (keyword, value) in enumerate(node.keywords):
            follows = own or index or node.arguments
            self._put(f", {keyword}=" if follows else f"{keyword}=")
            self._value(value)
        self._put(")")

    def _test(self, node: Test) -> None:
        self._cost += TESTS[node.name].cost
        probes = node.name in {"defined", "undefined"}
        self._put("(")
        self._expression(node.of, _As.PROBE if probes else _As.VALUE)
        self._put(f" is {'not ' if node.negated else ''}{node.name}")
        if node.arguments:
            self._put("(")
            self._arguments(node.arguments)
            self._put(")")
        self._put(")")

    def _binary(self, node: Binary) -> None:
        self._put("(")
        left = node.left
        # `a + b - c` is written without parentheses of its own for `a + b`: long sums would
        # nest too deeply for the engine.
        chain = [node]
        while isinstance(left, Binary) and _chains(left.operator, node.operator):
            chain.append(left)
            left = left.left
        self._operand(left, chain[-1])
        for link in reversed(chain):
            self._cost += IN_COST if link.operator in {"in", "not in"} else 1
            self._mark(link.at)
            self._put(f" {link.operator} ")
            self._operand(link.right, link)
        self._put(")")

    def _operand(self, operand: Expression, node: Binary) -> None:
        number = isinstance(operand, Constant) and not isinstance(operand.value, str)
        if node.operator == "*" and not number:
            # A text times a number repeats the text.
            self._put("(")
            self._value(operand)
            self._put(f")|_factor({node.at})")
        else:
            self._value(operand)

    def _condition(self, node: Condition) -> None:
        self._put("(")
        self._value(node.then)
        self._put(" if ")
        self._value(node.test)
        self._put(" else ")
        if node.otherwise is None:
            self._put('""')
        else:
            self._value(node.otherwise)
        self._put(")")

    def _arguments(self, arguments: tuple[Expression, ...]) -> None:
        for index, argument in enumerate(arguments):
            if index:
                self._put(", ")
            self._value(argument)


def _chains(left: str, right: str) -> bool:
    """Whether `(a left b) right c` may be written without its parentheses."""
    return {left, right} <= {"+", "-"} or left == right in {"~", "and", "or", "*", "/"}


def _root(node: Expression) -> frozenset[str]:
    while isinstance(node, Member):
        node = node.of
    return frozenset({node.name}) if isinstance(node, Name) else frozenset()


def _text_length(body: Body) -> int:
    """Characters of text in one turn of a loop; inner loops are charged on their own."""
    total = 0
    for statement in body:
        if isinstance(statement, Text):
            total += len(statement.text)
        elif isinstance(statement, If):
            total += sum(_text_length(inner) for _, inner in statement.branches)
    return total


def _literal(constant: Constant) -> str:
    value = constant.value
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return constant.text or {True: "true", False: "false", None: "none"}[value]  # type: ignore[index]
