"""Checks that MJML is made of elements that exist, where they may stand, and that all of them end.

The compiler recurses into elements, drops those it does not know, and names no lines.
"""

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from carillon.rendering.elements import Element, elements, find_attribute
from carillon.rendering.hiding import Hidden, statement_of

_COLUMN: Final = frozenset(
    {
        *("mj-accordion", "mj-button", "mj-carousel", "mj-divider", "mj-image", "mj-navbar"),
        *("mj-raw", "mj-social", "mj-spacer", "mj-table", "mj-text"),
    }
)
# https://documentation.mjml.io/#components, as far as the compiler has them.
_CHILDREN: Final[dict[str, frozenset[str]]] = {
    "": frozenset({"mjml"}),
    "mjml": frozenset({"mj-head", "mj-body"}),
    "mj-head": frozenset(
        {
            *("mj-attributes", "mj-breakpoint", "mj-font", "mj-preview", "mj-raw", "mj-style"),
            "mj-title",
        }
    ),
    "mj-body": frozenset({"mj-hero", "mj-raw", "mj-section", "mj-wrapper"}),
    "mj-wrapper": frozenset({"mj-hero", "mj-raw", "mj-section"}),
    "mj-section": frozenset({"mj-column", "mj-group", "mj-raw"}),
    "mj-group": frozenset({"mj-column", "mj-raw"}),
    "mj-column": _COLUMN,
    "mj-hero": _COLUMN,
    "mj-accordion": frozenset({"mj-accordion-element"}),
    "mj-accordion-element": frozenset({"mj-accordion-title", "mj-accordion-text"}),
    "mj-carousel": frozenset({"mj-carousel-image"}),
    "mj-navbar": frozenset({"mj-navbar-link"}),
    "mj-social": frozenset({"mj-social-element"}),
}
_KNOWN: Final = frozenset().union(*_CHILDREN.values())
_DEFAULTS: Final = "mj-attributes"
_DEFAULTS_OF: Final = _KNOWN | {"mj-all", "mj-class"}
_VOID: Final = frozenset(
    {
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param"),
        *("source", "track", "wbr"),
    }
)
_DEPTH_MOST: Final = 60
_PROBLEMS_MOST: Final = 50
_QUOTED = r"\s+[^\s=\"'/<>]++\s*=\s*(?:\"[^\"]*+\"|'[^']*+')"
_MJ_ATTRIBUTES: Final = re.compile(rf"(?:{_QUOTED})*+\s*/?")
_HTML_ATTRIBUTES: Final = re.compile(rf"(?:{_QUOTED}|\s+[^\s=\"'/<>]++(?!\s*=))*+\s*/?")


@dataclass(slots=True)
class Structure:
    """`text` is for the compiler: of `between` each word stands in a comment.

    `within` are the words in HTML or text, without those in attributes. A problem is an offset in
    the hidden text, a code and a message.
    """

    text: str = ""
    between: list[str] = field(default_factory=list)
    within: list[str] = field(default_factory=list)
    inlines: bool = False
    problems: list[tuple[int, str, str]] = field(default_factory=list)


def read_structure(hidden: Hidden) -> Structure:
    """Never raises: see its problems."""
    return _Reader(hidden).read()


class _Stop(Exception):
    """What follows cannot be told apart any more."""


class _Reader:
    def __init__(self, hidden: Hidden) -> None:
        self._hidden = hidden
        self._found = Structure()
        self._chunks: list[str] = []
        self._open: list[Element] = []
        # How many of the open elements are HTML, or hold it.
        self._content = 0

    def read(self) -> Structure:
        text = self._hidden.text
        try:
            at = 0
            for tag in elements(text):
                self._text(at, tag.start)
                self._element(tag)
                at = tag.end
            self._text(at, len(text))
            if self._open:
                self._report(self._open[-1].start, f"<{self._open[-1].name}> has no end.")
        except _Stop:
            pass
        self._found.text = "".join(self._chunks)
        self._found.problems.sort()
        del self._found.problems[_PROBLEMS_MOST:]
        return self._found

    def _report(self, at: int, message: str, code: str = "mjml_error") -> None:
        self._found.problems.append((at, code, message))

    def _element(self, tag: Element) -> None:
        written = self._hidden.text[tag.start : tag.end]
        if tag.name == "!--":
            # Between elements some comments would end the compiler's own.
            self._chunks.append(written if self._content else "")
            return
        if tag.closes:
            self._close(tag)
        else:
            self._check(tag, written)
            if tag.name == "mj-style" and find_attribute(tag.attributes, "inline"):
                self._found.inlines = True
                written = f"<{tag.name}>"
            if tag.name not in _VOID and not tag.attributes.rstrip().endswith("/"):
                self._push(tag)
        self._chunks.append(written)

    def _push(self, tag: Element) -> None:
        self._open.append(tag)
        # In all others stands HTML or text.
        self._content += bool(self._content) or tag.name not in {*_CHILDREN, _DEFAULTS}
        if len(self._open) > _DEPTH_MOST:
            self._report(tag.start, "Elements are nested too deeply.", "too_complex")
            raise _Stop

    def _close(self, tag: Element) -> None:
        if not self._open or self._open[-1].name != tag.name:
            opened = f"; <{self._open[-1].name}> is open" if self._open else ""
            self._report(tag.start, f"</{tag.name}> ends nothing here{opened}.")
            raise _Stop
        self._open.pop()
        self._content -= bool(self._content)

    def _check(self, tag: Element, written: str) -> None:
        if self._content and not tag.name.startswith("mj-"):
            if not _HTML_ATTRIBUTES.fullmatch(tag.attributes):
                self._report(tag.start, f"Put the values of <{tag.name}>'s attributes in quotes.")
            return
        if not written.startswith(f"<{tag.name}"):
            self._report(tag.start, f"Write <{tag.name}>, in small letters.")
            return
        self._check_place(tag)
        if not _MJ_ATTRIBUTES.fullmatch(tag.attributes):
            message = f'Write each attribute of <{tag.name}> as name="value", once and whole.'
            self._report(tag.start, message)

    def _check_place(self, tag: Element) -> None:
        around = self._open[-1].name if self._open else ""
        if tag.name in (_DEFAULTS_OF if around == _DEFAULTS else _CHILDREN.get(around, ())):
            return
        if tag.name == "mj-include":
            message = 'Nothing is read from files: write {% include "code" %}.'
        elif tag.name not in _DEFAULTS_OF | {_DEFAULTS}:
            close = get_close_matches(tag.name, _KNOWN, n=1)
            hint = f": did you mean {close[0]}?" if close else "."
            message = f"There is no element {tag.name}{hint}"
        else:
            places = [
                f"<{name}>" for name, inner in _CHILDREN.items() if tag.name in inner and name
            ]
            message = f"<{tag.name}> stands in {' or '.join(places) or 'nothing else'}."
        self._report(tag.start, message)

    def _text(self, start: int, end: int) -> None:
        text = self._hidden.text[start:end]
        script = self._open and self._open[-1].name in {"style", "script"}
        if "<" in text and not script:
            message = "Write &lt; for this sign, or end the tag that begins here."
            self._report(start + text.index("<"), message)
            raise _Stop
        if self._content:
            words = [found.group() for found in self._hidden.words.finditer(text)]
            self._found.within.extend(word for word in words if not self._is_comment(word))
            self._chunks.append(text)
            return
        self._between(start, text)

    def _between(self, start: int, text: str) -> None:
        at = 0
        for found in self._hidden.words.finditer(text):
            self._nothing(start + at, text[at : found.start()])
            at, word = found.end(), found.group()
            if statement_of(self._hidden.span(word)):
                self._found.between.append(word)
                self._chunks.append(f"<!--{word}-->")
            elif not self._is_comment(word):
                self._nothing(start + found.start(), word)
        self._nothing(start + at, text[at:])

    def _nothing(self, at: int, text: str) -> None:
        if text.strip():
            at += len(text) - len(text.lstrip())
            self._report(at, "Put this into <mj-text>, or another element that holds text.")
        else:
            self._chunks.append(text)

    def _is_comment(self, word: str) -> bool:
        return self._hidden.original(word).startswith("{#")
