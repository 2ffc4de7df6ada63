"""Reads which parts a source takes in: `extends`, `include`, `block` and `super()`, nothing else.

All other tags are left in the text as they stand. The parser never meets these four: whoever
renders gets a text in which they were replaced (see `layouts`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from carillon.rendering import limits
from carillon.rendering.lexer import Lexer, SourceError, Span, TagPart
from carillon.rendering.literals import text as literal_text

_OPENS: Final = frozenset({"if", "for", "block"})
_CLOSES: Final = {"endif": "if", "endfor": "for", "endblock": "block"}
_OURS: Final = frozenset({"include", "extends", "block", "endblock", "super"})


@dataclass(frozen=True, slots=True)
class Strips:
    """Whether a tag's minus signs remove the white space before and after it."""

    before: bool
    after: bool


@dataclass(frozen=True, slots=True)
class Verbatim:
    """What stays as it stands."""

    at: int
    end: int


@dataclass(frozen=True, slots=True)
class Include:
    """`{% include "code" %}`."""

    at: int
    code: str
    strips: Strips


@dataclass(frozen=True, slots=True)
class Super:
    """`{{ super() }}`: the block as the layout has it."""

    at: int
    strips: Strips


@dataclass(frozen=True, slots=True)
class Block:
    """`{% block name %}body{% endblock %}`; `opening` and `closing` are of its two tags."""

    at: int
    name: str
    body: "Nodes"
    opening: Strips
    closing: Strips


Node: TypeAlias = Verbatim | Include | Super | Block
Nodes: TypeAlias = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Extends:
    """`{% extends "code" %}`."""

    at: int
    code: str


@dataclass(frozen=True, slots=True)
class Outline:
    """A source's parts. `blocks` has every block by its name, those within blocks, too."""

    extends: Extends | None
    nodes: Nodes
    blocks: dict[str, Block]
    # Where the tags stand that the parser does not know.
    tags: tuple[tuple[int, int], ...]


def outline(source: str) -> Outline:
    """Raises SourceError, for the first thing that is wrong."""
    if len(source) > limits.SOURCE_MOST:
        message = f"A field may have {limits.SOURCE_MOST} characters at most."
        raise SourceError(0, message, "too_long")
    return _Reader(source).read()


def without_parts(source: str, found: Outline) -> str:
    """The source for the parser: comments of the same length stand where those tags stood."""
    chunks: list[str] = []
    end = 0
    for start, stop in sorted(found.tags):
        # The tag's own minus signs stay: what they strip moves no offset.
        before = "-" if source.startswith("-", start + 2) else " "
        after = "-" if source.startswith("-", stop - 3) else " "
        blank = " " * (stop - start - 6)
        chunks += [source[end:start], "{#", before, blank, after, "#}"]
        end = stop
    return "".join([*chunks, source[end:]])


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._spans: Iterator[Span] = iter(())
        self._at = 0
        self._open: list[tuple[str, int]] = []
        self._extends: Extends | None = None
        self._blocks: dict[str, Block] = {}
        self._tags: list[tuple[int, int]] = []

    def read(self) -> Outline:
        self._spans = Lexer(self._source).spans()
        nodes, _ = self._nodes()
        if self._extends is not None:
            self._check_nothing_outside(nodes)
        return Outline(self._extends, nodes, self._blocks, tuple(self._tags))

    def _nodes(self) -> tuple[Nodes, Strips]:
        """Up to the end of the block that is open, or of the source."""
        found: list[Node] = []
        start = self._at
        for span in self._spans:
            tag, word = span.tag, _word(span.tag)
            if tag is not None and word in _OURS:
                if span.start > start:
                    found.append(Verbatim(start, span.start))
                self._tags.append((span.start, span.end))
                self._at = span.end
                if word == "endblock":
                    self._end(word, span.start)
                    return tuple(found), _strips(self._source, span)
                found.extend(self._node(span, tag, word))
                start = self._at
            elif word in _OPENS:
                self._open.append((word, span.start))
            elif word in _CLOSES:
                self._end(word, span.start)
        at = next((at for kind, at in reversed(self._open) if kind == "block"), None)
        if at is not None:
            raise SourceError(at, "{% block %} has no end: {% endblock %} is missing.")
        if len(self._source) > start:
            found.append(Verbatim(start, len(self._source)))
        return tuple(found), Strips(before=False, after=False)

    def _node(self, span: Span, tag: TagPart, word: str) -> Iterator[Node]:
        strips = _strips(self._source, span)
        if word == "include":
            yield Include(span.start, _code(tag, word), strips)
        elif word == "super":
            if not any(kind == "block" for kind, _ in self._open):
                raise SourceError(span.start, "super() stands within a block.")
            yield Super(span.start, strips)
        elif word == "extends":
            if self._extends or not _is_blank(self._source[: span.start]):
                raise SourceError(span.start, "{% extends %} comes once, before all else.")
            self._extends = Extends(span.start, _code(tag, word))
        else:
            yield self._block(span, tag, strips)

    def _block(self, span: Span, tag: TagPart, opening: Strips) -> Block:
        tokens = tag.tokens[1:]
        if len(tokens) != 2 or tokens[0].kind != "name":
            raise SourceError(span.start, "Write {% block name %}.")
        name = tokens[0].text
        if name in self._blocks:
            raise SourceError(span.start, f"There are two blocks {name}.")
        self._open.append(("block", span.start))
        if len(self._open) > limits.NESTING_MOST:
            raise SourceError(span.start, "Blocks are nested too deeply.", "too_complex")
        # Taken before its body is read, so that no block within it has its name.
        self._blocks[name] = Block(span.start, name, (), opening, opening)
        body, closing = self._nodes()
        block = Block(span.start, name, body, opening, closing)
        self._blocks[name] = block
        return block

    def _end(self, word: str, at: int) -> None:
        """Of a block; whether an `if` or a `for` is open is for the parser to say."""
        kind = self._open[-1][0] if self._open else ""
        if "block" in {kind, _CLOSES[word]} and kind != _CLOSES[word]:
            opened = f"; {{% {kind} %}} is open" if kind else ""
            raise SourceError(at, f"{{% {word} %}} ends nothing here{opened}.")
        if self._open:
            self._open.pop()

    def _check_nothing_outside(self, nodes: Nodes) -> None:
        for node in nodes:
            at = node.at
            if isinstance(node, Verbatim):
                text = self._source[at : node.end]
                if _is_blank(text):
                    continue
                at += len(text) - len(text.lstrip())
            if not isinstance(node, Block):
                message = "This stands in no block: the layout has no place for it."
                raise SourceError(at, message, "outside_block")


def _word(tag: TagPart | None) -> str:
    """A statement's first word; `super` for an output of `super()` alone."""
    if tag is None:
        return ""
    if not tag.output:
        return tag.tokens[0].text
    texts = [token.text for token in tag.tokens[:-1]]
    return "super" if texts == ["super", "(", ")"] else ""


def _code(tag: TagPart, word: str) -> str:
    tokens = tag.tokens[1:]
    if len(tokens) != 2 or tokens[0].kind != "string":
        message = f'Write {{% {word} "code" %}}: the code stands there in quotes, and nothing else.'
        raise SourceError(tag.at, message)
    return literal_text(tokens[0])


def _strips(source: str, span: Span) -> Strips:
    return Strips(
        before=source.startswith("-", span.start + 2), after=source.startswith("-", span.end - 3)
    )


def _is_blank(text: str) -> bool:
    """White space and comments."""
    at = 0
    while at < len(text):
        if text.startswith("{#", at):
            at = text.find("#}", at) + 2
        elif text[at].isspace():
            at += 1
        else:
            return False
    return True
