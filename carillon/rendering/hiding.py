"""Hides the tags of a template from programs that know HTML only, and puts them back."""

import re
from dataclasses import dataclass

from carillon.rendering.lexer import Lexer, Span


@dataclass(frozen=True, slots=True)
class Hidden:
    """A source with a word of letters and digits in place of each tag, comment and raw block."""

    text: str
    source: str
    spans: tuple[Span, ...]
    words: re.Pattern[str]

    def restore(self, text: str) -> str:
        """Text made from `text`, with the tags back in it."""
        return self.words.sub(lambda found: self.original(found.group()), text)

    def original(self, word: str) -> str:
        """What a word stands for."""
        span = self.span(word)
        return self.source[span.start : span.end]

    def offset(self, at: int) -> int:
        """Where in `source` stands what is at `at` in `text`."""
        moved = 0
        for found in self.words.finditer(self.text):
            span = self.span(found.group())
            if found.start() <= at < found.end():
                return span.start
            if at < found.start():
                break
            moved += span.end - span.start - len(found.group())
        return at + moved

    def span(self, word: str) -> Span:
        """Where it stood."""
        return self.spans[int(self.words.sub(r"\1", word))]


def hide_tags(source: str) -> Hidden:
    """Raises SourceError where the source cannot be cut into tags."""
    spans = tuple(Lexer(source).spans())
    mark = "zqtag"
    while mark in source:
        mark += "q"
    chunks: list[str] = []
    at = 0
    for index, span in enumerate(spans):
        chunks.append(f"{source[at : span.start]}{mark}{index}z")
        at = span.end
    chunks.append(source[at:])
    return Hidden("".join(chunks), source, spans, re.compile(f"{mark}([0-9]+)z"))


def statement_of(span: Span) -> str:
    """The first word of a `{% … %}`; empty for all else."""
    if span.tag is None or span.tag.output:
        return ""
    return span.tag.tokens[0].text
