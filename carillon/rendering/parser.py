"""Parses a template's source into a tree; an author learns of every problem at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from carillon.rendering import limits
from carillon.rendering.errors import Problem
from carillon.rendering.expressions import ExpressionParser
from carillon.rendering.language import REFUSED_TAGS, is_variable_name
from carillon.rendering.lexer import Lexer, Part, SourceError, TagPart, TextPart, problem_at
from carillon.rendering.nodes import (
    Binary,
    Body,
    Constant,
    Expression,
    For,
    If,
    ListOf,
    Output,
    Set,
    Statement,
    Text,
    walk,
)

PROBLEMS_MOST = 50


@dataclass(frozen=True, slots=True)
class Parsed:
    """A source's tree. With problems, the tree is not to be used."""

    source: str
    body: Body
    problems: tuple[Problem, ...]


def parse(source: str) -> Parsed:
    """Never raises: what is wrong is in `problems`, in the order of the source."""
    return _Parser(source).parse()


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._problems: list[tuple[int, str, str]] = []
        self._parts: Iterator[Part] = iter(())
        self._blocks: list[TagPart] = []

    def parse(self) -> Parsed:
        body: Body = ()
        try:
            if len(self._source) > limits.SOURCE_MOST:
                message = f"A field may have {limits.SOURCE_MOST} characters at most."
                raise SourceError(0, message, "too_long")
            self._parts = Lexer(self._source).parts()
            body, _, _ = self._body()
        except SourceError as error:
            self._report(error.at, error.code, error.message)
        found = sorted(set(self._problems))[:PROBLEMS_MOST]
        problems = tuple(problem_at(self._source, at, *rest) for at, *rest in found)
        return Parsed(self._source, body, problems)

    def _report(self, at: int, code: str, message: str) -> None:
        self._problems.append((at, code, message))

    def _body(self, *ends: str) -> tuple[Body, str, ExpressionParser]:
        """Statements up to a tag of `ends`; that tag, and what stands in it after its name."""
        found: list[Statement] = []
        for part in self._parts:
            if isinstance(part, TextPart):
                found.append(Text(part.at, part.text))
            elif part.output:
                found.extend(self._output(part))
            else:
                tokens = ExpressionParser(part.tokens, self._report)
                tag = tokens.tag_name()
                if tag in ends:
                    return tuple(found), tag, tokens
                found.extend(self._statement(part, tag, tokens))
        if ends:
            message = f"{{% {self._open} %}} has no end: {{% end{self._open} %}} is missing."
            raise SourceError(self._blocks[-1].at, message)
        return tuple(found), "", ExpressionParser((), self._report)

    def _output(self, part: TagPart) -> Iterator[Statement]:
        try:
            tokens = ExpressionParser(part.tokens, self._report)
            expression = tokens.expression()
            tokens.expect_end()
        except SourceError as error:
            # The next tag begins where it begins, whatever stands in this one.
            self._report(error.at, error.code, error.message)
            return
        yield Output(part.at, expression)

    def _statement(self, part: TagPart, tag: str, tokens: ExpressionParser) -> Iterator[Statement]:
        parsers: dict[str, Callable[[int, ExpressionParser], Statement]] = {
            "if": self._if,
            "for": self._for,
            "set": self._set,
        }
        if tag in parsers:
            self._blocks.append(part)
            if len(self._blocks) > limits.NESTING_MOST:
                raise SourceError(part.at, "Blocks are nested too deeply.", "too_complex")
            yield parsers[tag](part.at, tokens)
            self._blocks.pop()
            return
        if tag in REFUSED_TAGS:
            message = f"There is no tag {tag}: {REFUSED_TAGS[tag]}."
            raise SourceError(part.at, message, "refused_tag")
        if tag.startswith("end") or tag in {"else", "elif"}:
            opened = f"; {{% {self._open} %}} is open" if self._blocks else ""
            raise SourceError(part.at, f"{{% {tag} %}} ends nothing here{opened}.")
        raise SourceError(
            part.at,
            f"There is no tag {tag}: there are block, extends, for, if, include, raw and set.",
        )

    @property
    def _open(self) -> str:
        return self._blocks[-1].tokens[0].text

    def _if(self, at: int, tokens: ExpressionParser) -> If:
        branches: list[tuple[Expression | None, Body]] = []
        test: Expression | None = tokens.expression()
        tokens.expect_end()
        while True:
            ends = ("elif", "else", "endif") if test is not None else ("endif",)
            body, tag, tokens = self._body(*ends)
            branches.append((test, body))
            if len(branches) > limits.BRANCHES_MOST:
                raise SourceError(at, "This if has too many branches.", "too_complex")
            test = tokens.expression() if tag == "elif" else None
            tokens.expect_end()
            if tag == "endif":
                return If(at, tuple(branches))

    def _for(self, at: int, tokens: ExpressionParser) -> For:
        if sum(block.tokens[0].text == "for" for block in self._blocks) > limits.LOOP_NESTING_MOST:
            raise SourceError(at, "Loops are nested too deeply.", "too_complex")
        targets = [self._target(tokens)]
        while tokens.accept(","):
            targets.append(self._target(tokens))
        tokens.expect("in")
        iterable = tokens.without_condition()
        self._check_iterable(iterable)
        condition = tokens.expression() if tokens.accept("if") else None
        if tokens.is_next("recursive"):
            raise SourceError(tokens.token.at, "Loops do not call themselves.", "refused_tag")
        tokens.expect_end()
        body, tag, tokens = self._body("else", "endfor")
        tokens.expect_end()
        otherwise: Body = ()
        if tag == "else":
            otherwise, _, tokens = self._body("endfor")
            tokens.expect_end()
        return For(at, tuple(targets), iterable, condition, body, otherwise)

    def _set(self, at: int, tokens: ExpressionParser) -> Set:
        name = self._target(tokens)
        if tokens.is_next(","):
            raise SourceError(tokens.token.at, "Set one name at a time.")
        if tokens.token.kind == "end":
            raise SourceError(tokens.token.at, "Write {% set name = value %}.")
        tokens.expect("=")
        value = tokens.expression()
        tokens.expect_end()
        if any(isinstance(node, ListOf) and not _constant(node) for node in walk(value)):
            message = "A list that is given a name may hold texts and numbers only."
            self._report(value.at, "refused_value", message)
        return Set(at, name, value)

    def _target(self, tokens: ExpressionParser) -> str:
        token = tokens.expect_name("a name")
        if not is_variable_name(token.text):
            self._report(token.at, "private_name", f"{token.text} cannot be a name.")
        return token.text

    def _check_iterable(self, iterable: Expression) -> None:
        """A loop names its rows: what it names must not be built up from row to row."""
        for node in walk(iterable):
            inner = node.items if isinstance(node, ListOf) else ()
            for item in inner:
                if any(isinstance(n, ListOf) or builds(n) for n in walk(item)):
                    message = "A list that is looped over may hold names, texts and numbers only."
                    self._report(node.at, "refused_value", message)


def builds(node: Expression) -> bool:
    """Whether the node makes a longer value of shorter ones."""
    return isinstance(node, Binary) and node.operator in {"~", "+"}


def _constant(node: ListOf) -> bool:
    return all(isinstance(item, Constant) for item in node.items)
