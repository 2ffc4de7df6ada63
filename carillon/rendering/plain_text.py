"""Makes the text part of an email from its HTML, as a template with the same variables.

Done once, when a version is published: sending then renders one more text, and reads no HTML.
"""

import html
from typing import Final

from carillon.rendering.elements import Element, elements
from carillon.rendering.hiding import Hidden, hide_tags, statement_of

_SPACE, _LINE, _PARAGRAPH = 1, 2, 3
_BREAKS: Final = {0: "", _SPACE: " ", _LINE: "\n", _PARAGRAPH: "\n\n"}
_PARAGRAPHS: Final = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre", "hr"}
)
_LINES: Final = frozenset(
    {"div", "li", "tr", "section", "article", "header", "footer", "center", "dt", "dd", "address"}
)
_UNSEEN: Final = frozenset({"head", "style", "script", "title", "template"})


def text_from_html(source: str) -> str:
    """The text of an HTML template; links stand in parentheses behind their words.

    Raises SourceError where the source cannot be cut into tags.
    """
    hidden = hide_tags(source)
    writer = _Writer(hidden)
    at = 0
    for tag in elements(hidden.text):
        writer.data(hidden.text[at : tag.start])
        if tag.closes:
            writer.closed(tag.name)
        else:
            writer.opened(tag)
        at = tag.end
    writer.data(hidden.text[at:])
    return hidden.restore(writer.text()).strip()


class _Writer:
    """Writes words as they come, and a break only before the next of them.

    A loop or a condition may or may not write its words: breaks that are due are written before
    each of their tags, so that they hold on every way through.
    """

    def __init__(self, hidden: Hidden) -> None:
        self._hidden = hidden
        self._chunks: list[str] = []
        # Of breaks: the largest that is due, and what stands at the end on every way so far.
        self._due = 0
        self._stands = _PARAGRAPH
        self._blocks: list[list[int]] = []
        self._unseen = 0
        self._links: list[tuple[str, int]] = []

    def text(self) -> str:
        """What was written."""
        return "".join(self._chunks)

    def opened(self, element: Element) -> None:
        """Breaks, and what has no words of its own."""
        tag = element.name
        if tag in _UNSEEN:
            self._unseen += 1
        self._break(tag)
        if tag == "br":
            self._stands = max(self._stands, _LINE)
            self._chunks.append("\n")
        elif tag == "li":
            self._words("- ")
            self._stands = _SPACE
        elif tag == "img" and (described := element.attribute("alt")):
            self._words(described)
        elif tag == "a":
            self._links.append((element.attribute("href").strip(), len(self._chunks)))

    def closed(self, tag: str) -> None:
        """Breaks, and where a link leads to."""
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        if tag == "a" and self._links:
            href, start = self._links.pop()
            shown = "".join(self._chunks[start:]).strip()
            leads = href and not href.startswith(("#", "mailto:", "tel:"))
            if leads and href != shown:
                self._words(f" ({href})" if shown else href)
        elif tag in {"td", "th"}:
            self._due = max(self._due, _SPACE)
        self._break(tag)

    def data(self, data: str) -> None:
        """Words and hidden tags."""
        data = html.unescape(data)
        if self._unseen:
            return
        at = 0
        for found in self._hidden.words.finditer(data):
            self._plain(data[at : found.start()])
            at = found.end()
            word = found.group()
            self._tag(word, statement_of(self._hidden.span(word)))
        self._plain(data[at:])

    def _tag(self, word: str, statement: str) -> None:
        if not statement:
            if self._hidden.original(word).startswith("{#"):
                return
            self._words(word)
            return
        if statement == "set":
            self._chunks.append(word)
            return
        self._write_break()
        if statement in {"if", "for"}:
            self._blocks.append([self._stands])
        elif self._blocks:
            ends = self._blocks[-1]
            ends.append(self._stands)
            self._stands = ends[0] if statement in {"else", "elif"} else min(ends)
            if statement not in {"else", "elif"}:
                self._blocks.pop()
        self._chunks.append(word)

    def _plain(self, text: str) -> None:
        if text[:1].isspace():
            self._due = max(self._due, _SPACE)
        words = " ".join(text.split())
        if words:
            self._words(words)
            if text[-1].isspace():
                self._due = _SPACE

    def _words(self, words: str) -> None:
        if self._unseen:
            return
        self._write_break()
        # What looks like a tag of ours in the HTML's text would be one in the template.
        self._chunks.append(words.replace("{{", "{ {").replace("{%", "{ %").replace("{#", "{ #"))
        self._stands = 0

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self._due = _PARAGRAPH
        elif tag in _LINES:
            self._due = max(self._due, _LINE)

    def _write_break(self) -> None:
        if self._due > self._stands:
            stands = self._stands if self._stands >= _LINE else 0
            self._chunks.append(_BREAKS[self._due][1 if stands == _LINE else 0 :])
            self._stands = self._due
        self._due = 0
