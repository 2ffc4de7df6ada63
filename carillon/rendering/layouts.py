"""Puts layouts and partials into a template, so that what is sent is one text.

Done when a version is published: the gateway and its cache see no parts, and what was published
stays as it was when a part changes. `{% include "code" %}` is replaced by the same field of that
template, `{% extends "code" %}` by its field with this template's blocks in place of its own.
What is put in behaves as if it had been written there.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, NoReturn

from carillon.rendering import limits
from carillon.rendering.errors import Problem
from carillon.rendering.lexer import SourceError, problem_at
from carillon.rendering.outline import (
    Block,
    Include,
    Nodes,
    Outline,
    Super,
    Verbatim,
    outline,
)

_STRIPS_AFTER: Final = ("-}}", "-%}", "-#}")
_STRIPS_BEFORE: Final = ("{{-", "{%-", "{#-")
# A brace at the end of a text: with one at the beginning of the next it would make a tag.
_BRACE: Final = "{% raw %}{{% endraw %}"


@dataclass(frozen=True, slots=True)
class Part:
    """A published version that others take in; `fields` are its sources by name."""

    code: str
    number: int
    language: str
    fields: Mapping[str, str]
    variables: tuple[str, ...] = ()
    optional_variables: tuple[str, ...] = ()


FindPart = Callable[[str], Part | None]
"""What is published under a code, in the language that is wanted or what it falls back to."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """From `start` on, the flattened text is that of `code` from `at` on.

    `anchor` is where the tag stands in the author's own source that brought it here.
    """

    start: int
    code: str
    at: int
    anchor: int


@dataclass(frozen=True, slots=True)
class Flattened:
    """One field. With problems, `source` is not to be used."""

    field: str
    source: str
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    parts: Mapping[str, Part]
    _written: str
    _sources: Mapping[str, str]
    _pieces: tuple[_Piece, ...]

    def in_own_terms(self, problem: Problem) -> Problem:
        """A problem of `source` where its author finds it: in a part, that part is named."""
        if not problem.line:
            return problem
        at = _offset(self.source, problem.line, problem.column)
        piece = next((p for p in reversed(self._pieces) if p.start <= at), None)
        if piece is None:
            return problem
        origin = piece.at + at - piece.start
        told = Told(self._sources[piece.code], origin, piece.code, piece.anchor)
        return told.problem(self._written, problem.code, problem.message).in_field(self.field)


@dataclass(frozen=True, slots=True)
class Told:
    """A place in the source of `code`, which the author's tag at `anchor` brought in."""

    source: str
    at: int
    code: str
    anchor: int

    def problem(self, written: str, code: str, message: str) -> Problem:
        """With the line and the column in what the author wrote."""
        if not self.code:
            return problem_at(self.source, self.at, code, message)
        there = problem_at(self.source, self.at, code, "")
        message = f"In {self.code}, line {there.line}, column {there.column}: {message}"
        return problem_at(written, self.anchor, code, message)


def flatten(field: str, source: str, find: FindPart, *, code: str = "") -> Flattened:
    """`source` is the field of the template `code`. Never raises: see `problems`."""
    return _Flattener(field, source, find, code).flatten()


class _Stopped(Exception):
    """There is a problem, and no more is read."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """One source of those that extend each other; `code` is empty for the author's own."""

    code: str
    source: str
    outline: Outline
    # None: its tags stand in the author's own source.
    anchor: int | None

    def anchor_of(self, at: int) -> int:
        return at if self.anchor is None else self.anchor


@dataclass(frozen=True, slots=True)
class _Stack:
    """What extends what, the template itself first."""

    layers: tuple[_Layer, ...]

    def definitions(self, name: str) -> list[tuple[_Layer, Block]]:
        """Of a block; the one that counts first."""
        return [(la, la.outline.blocks[name]) for la in self.layers if name in la.outline.blocks]


class _Flattener:
    def __init__(self, field: str, source: str, find: FindPart, code: str) -> None:
        self._field = field
        self._written = source
        self._find = find
        self._path: list[str] = [code]
        self._sources: dict[str, str] = {"": source}
        self._parts: dict[str, Part] = {}
        self._taken = 0
        self._problems: list[Problem] = []
        self._warnings: list[Problem] = []
        self._chunks: list[str] = []
        self._length = 0
        self._pieces: list[_Piece] = []
        self._seam = False
        self._blocks: list[str] = []

    def flatten(self) -> Flattened:
        """Once."""
        with suppress(_Stopped), self._stack("", self._written, None) as stack:
            self._write(stack)
        return Flattened(
            self._field,
            "".join(self._chunks),
            tuple(self._problems),
            tuple(self._warnings),
            self._parts,
            self._written,
            self._sources,
            tuple(self._pieces),
        )

    @contextmanager
    def _stack(self, code: str, source: str, anchor: int | None) -> Iterator[_Stack]:
        """The source with all that it extends; while it is open, none of them may come again."""
        depth = len(self._path)
        layers = [self._layer(code, source, anchor)]
        while (extends := layers[-1].outline.extends) is not None:
            at = layers[-1].anchor_of(extends.at)
            part = self._take(extends.code, layers[-1], extends.at)
            layers.append(self._layer(part.code, part.fields[self._field], at))
        yield _Stack(tuple(layers))
        del self._path[depth:]

    def _layer(self, code: str, source: str, anchor: int | None) -> _Layer:
        try:
            return _Layer(code, source, outline(source), anchor)
        except SourceError as error:
            self._stop(Told(source, error.at, code, anchor or 0), error.code, error.message)

    def _take(self, code: str, layer: _Layer, at: int) -> Part:
        """The part, on the path from now on."""
        place = Told(layer.source, at, layer.code, layer.anchor_of(at))
        self._taken += 1
        if code in self._path:
            path = " → ".join([*self._path[self._path.index(code) :], code])
            self._stop(place, "part_cycle", f"A template cannot be part of itself: {path}.")
        if len(self._path) > limits.PARTS_DEPTH_MOST or self._taken > limits.PARTS_MOST:
            self._stop(place, "too_complex", "Too many templates are put into each other here.")
        part = self._parts.get(code) or self._find(code)
        if part is None:
            message = f"There is no published template {code} to put here."
            self._stop(place, "unknown_part", message)
        if not part.fields.get(self._field, "").strip():
            message = f"The template {code} has no {self._field} to put here."
            self._stop(place, "empty_part", message)
        self._parts[code] = part
        self._sources[code] = part.fields[self._field]
        self._path.append(code)
        return part

    def _stop(self, place: Told, code: str, message: str) -> NoReturn:
        problem = place.problem(self._written, code, message)
        self._problems.append(problem.in_field(self._field))
        raise _Stopped

    def _write(self, stack: _Stack) -> None:
        self._warn_of_lost_blocks(stack)
        base = stack.layers[-1]
        self._nodes(base.outline.nodes, base, stack, ())

    def _warn_of_lost_blocks(self, stack: _Stack) -> None:
        for index, layer in enumerate(stack.layers[:-1]):
            # Those within blocks are placed by the block around them.
            for block in layer.outline.nodes:
                if not isinstance(block, Block):
                    continue
                if not any(block.name in la.outline.blocks for la in stack.layers[index + 1 :]):
                    place = Told(layer.source, block.at, layer.code, layer.anchor_of(block.at))
                    message = f"The layout has no block {block.name}: this is not sent."
                    problem = place.problem(self._written, "unknown_block", message)
                    self._warnings.append(problem.in_field(self._field))

    def _nodes(
        self, nodes: Nodes, layer: _Layer, stack: _Stack, later: tuple[tuple[_Layer, Block], ...]
    ) -> None:
        """`later` are the definitions that `super()` stands for."""
        for node in nodes:
            match node:
                case Verbatim():
                    self._put(layer, node.at, node.end)
                case Include():
                    self._include(node, layer)
                case Block():
                    self._block(node, layer, stack)
                case Super():
                    self._mark(before=node.strips.before)
                    if later:
                        (inner, block), *rest = later
                        self._nodes(block.body, inner, stack, tuple(rest))
                    self._mark(after=node.strips.after)

    def _include(self, node: Include, layer: _Layer) -> None:
        try:
            part = self._take(node.code, layer, node.at)
        except _Stopped:
            if self._taken > limits.PARTS_MOST:
                raise
            # The rest may have problems of its own, which the author wants to know at once.
            return
        self._mark(before=node.strips.before)
        anchor = layer.anchor_of(node.at)
        with self._stack(part.code, part.fields[self._field], anchor) as stack:
            self._write(stack)
        self._path.pop()
        self._mark(after=node.strips.after)

    def _block(self, node: Block, layer: _Layer, stack: _Stack) -> None:
        (chosen, block), *later = stack.definitions(node.name)
        if node.name in self._blocks:
            place = Told(layer.source, node.at, layer.code, layer.anchor_of(node.at))
            self._stop(place, "part_cycle", f"The block {node.name} stands within itself.")
        self._blocks.append(node.name)
        self._mark(before=node.opening.before, after=block.opening.after)
        self._nodes(block.body, chosen, stack, tuple(later))
        self._mark(before=block.closing.before, after=node.closing.after)
        self._blocks.pop()

    def _mark(self, *, before: bool = False, after: bool = False) -> None:
        """A tag that was here is gone; a comment strips what its minus signs stripped."""
        self._seam = True
        if before or after:
            self._emit(f"{{#{'-' if before else ''} {'-' if after else ''}#}}")
            self._seam = False

    def _put(self, layer: _Layer, at: int, end: int) -> None:
        text = layer.source[at:end]
        if self._seam and self._chunks and _run_together(self._chunks[-1], text):
            self._emit("{##}")
        self._seam = False
        self._pieces.append(_Piece(self._length, layer.code, at, layer.anchor_of(at)))
        self._emit(f"{text[:-1]}{_BRACE}" if text.endswith("{") else text)
        if self._length > limits.SOURCE_MOST:
            place = Told(layer.source, at, layer.code, layer.anchor_of(at))
            message = f"With its parts, a field may have {limits.SOURCE_MOST} characters at most."
            self._stop(place, "too_long", message)

    def _emit(self, text: str) -> None:
        self._chunks.append(text)
        self._length += len(text)


def _run_together(before: str, after: str) -> bool:
    """Whether a tag of one of two texts would strip the other."""
    return before.rstrip().endswith(_STRIPS_AFTER) or after.lstrip().startswith(_STRIPS_BEFORE)


def _offset(source: str, line: int, column: int) -> int:
    lines = source.split("\n")
    return sum(len(text) + 1 for text in lines[: line - 1]) + column - 1
