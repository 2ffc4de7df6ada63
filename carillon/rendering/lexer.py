"""Cuts a template's source into text and tags, and a tag into tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from carillon.rendering import limits
from carillon.rendering.errors import Problem


class SourceError(Exception):
    """What makes the rest of a source unreadable, and where it is."""

    def __init__(self, at: int, message: str, code: str = "syntax_error") -> None:
        super().__init__(message)
        self.at = at
        self.message = message
        self.code = code


def problem_at(source: str, at: int, code: str, message: str) -> Problem:
    """A Problem with the line and the column of offset `at`."""
    at = min(at, len(source))
    return Problem(
        code=code,
        message=message,
        line=source.count("\n", 0, at) + 1,
        column=at - source.rfind("\n", 0, at),
    )


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is name, number, string, operator or end; a string's `text` has its quotes."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class TextPart:
    """What is output as it is; `raw` where it stood in a raw block."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class TagPart:
    """`{{ … }}` (an output) or `{% … %}`, with its tokens; the last one is the end."""

    at: int
    output: bool
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """What is no text, from `start` to `end`: a tag, or (None) a comment or a raw block."""

    start: int
    end: int
    tag: TagPart | None


Part = TextPart | TagPart

_OPENING = re.compile(r"\{[{%#]")
_RAW = re.compile(r"\{%[-+]?\s*raw\s*([-+]?)%\}")
_END_RAW = re.compile(r"\{%([-+]?)\s*endraw\s*([-+]?)%\}")
_END: Final = {
    "{{": re.compile(r"([-+]?)\}\}"),
    "{%": re.compile(r"([-+]?)%\}"),
}
_TOKEN = re.compile(
    r"""(?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)
      | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<operator>==|!=|<=|>=|//|\*\*|[-+*/%~<>=|.,:()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"\s*")


class Lexer:
    """Reads one source, once. `-` inside a tag's brace removes the white space beside it."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._strip_next = False
        self._tags = 0

    def parts(self) -> Iterator[Part]:
        """Text and tags in order; comments are gone. Raises SourceError."""
        source = self._source
        while self._at < len(source):
            opening = _OPENING.search(source, self._at)
            end = opening.start() if opening else len(source)
            strip_end = opening is not None and source.startswith("-", end + 2)
            yield from self._text(self._at, end, strip_end)
            self._at = end
            if opening is None:
                return
            if opening.group() == "{#":
                self._skip_comment(end)
            elif (raw := _RAW.match(source, end)) is not None:
                yield from self._raw(end, raw)
            else:
                yield self._tag(end, opening.group())

    def spans(self) -> Iterator[Span]:
        """All that is no text, for those who rewrite a source. Raises SourceError."""
        while (opening := _OPENING.search(self._source, self._at)) is not None:
            start, tag = opening.start(), None
            if opening.group() == "{#":
                self._skip_comment(start)
            elif (raw := _RAW.match(self._source, start)) is not None:
                for _ in self._raw(start, raw):
                    pass
            else:
                tag = self._tag(start, opening.group())
            yield Span(start, self._at, tag)

    def _text(self, start: int, end: int, strip_end: bool) -> Iterator[TextPart]:
        text = self._source[start:end]
        if self._strip_next:
            stripped = text.lstrip()
            start, text = start + len(text) - len(stripped), stripped
        if strip_end:
            text = text.rstrip()
        self._strip_next = False
        if text:
            yield TextPart(start, text)

    def _skip_comment(self, start: int) -> None:
        close = self._source.find("#}", start + 2)
        if close < 0:
            raise SourceError(start, "This comment has no end: #} is missing.")
        self._strip_next = close > start + 2 and self._source[close - 1] == "-"
        self._at = close + 2

    def _raw(self, start: int, opening: re.Match[str]) -> Iterator[TextPart]:
        close = _END_RAW.search(self._source, opening.end())
        if close is None:
            raise SourceError(start, "This raw block has no end: {% endraw %} is missing.")
        self._strip_next = opening.group(1) == "-"
        yield from self._text(opening.end(), close.start(), close.group(1) == "-")
        self._strip_next = close.group(2) == "-"
        self._at = close.end()

    def _tag(self, start: int, opening: str) -> TagPart:
        self._tags += 1
        if self._tags > limits.TAGS_MOST:
            raise SourceError(
                start, f"A field may have {limits.TAGS_MOST} tags at most.", "too_complex"
            )
        source, ending = self._source, _END[opening]
        at = start + 2
        if source[at : at + 1] in {"-", "+"}:
            at += 1
        tokens: list[Token] = []
        while True:
            at = _SPACE.match(source, at).end()  # type: ignore[union-attr]
            end = ending.match(source, at)
            if end is not None:
                break
            token = _TOKEN.match(source, at)
            if token is None:
                raise self._unreadable(start, at, opening)
            if len(tokens) > limits.TOKENS_MOST:
                raise SourceError(start, "This tag is too long.", "too_complex")
            tokens.append(Token(str(token.lastgroup), token.group(), at))
            at = token.end()
        tokens.append(Token("end", end.group(), at))
        self._strip_next = end.group(1) == "-"
        self._at = end.end()
        return TagPart(start, opening == "{{", tuple(tokens))

    def _unreadable(self, start: int, at: int, opening: str) -> SourceError:
        if at >= len(self._source):
            closing = "}}" if opening == "{{" else "%}"
            return SourceError(start, f"This tag has no end: {closing} is missing.")
        character = self._source[at]
        if character in "\"'":
            return SourceError(at, f"This text has no end: {character} is missing.")
        return SourceError(at, f"{character!r} means nothing here.")
