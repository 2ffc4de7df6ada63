"""Finds the tags of HTML, in time proportional to its length.

The standard library's parser is not used: on markup that never closes it takes minutes.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

# Possessive, and tried where something opens: what never closes ends the search at once.
_OPENING = re.compile(r"<(?:!|/?[A-Za-z])")
_RAW = r"style|script|title|textarea"
_ELEMENT = re.compile(
    r"(?P<comment><!--.*?-->|<!(?!--)[^>]*+>)"
    r"|<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9:-]*+)"
    r"(?P<attributes>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*+)>",
    re.DOTALL,
)
_RAW_ENDS = {name: re.compile(f"</{name}", re.IGNORECASE) for name in _RAW.split("|")}
_ATTRIBUTE = re.compile(
    r"(?P<name>[^\s=\"'/]++)(?:\s*=\s*(?P<value>\"[^\"]*\"|'[^']*'|[^\s\"'>]++))?"
)


@dataclass(frozen=True, slots=True)
class Element:
    """A tag from `start` to `end`; its attributes as written, and where they begin."""

    start: int
    end: int
    name: str
    closes: bool
    attributes: str
    attributes_at: int

    def attribute(self, name: str) -> str:
        """Its value, without quotes and entities; empty where there is none."""
        found = find_attribute(self.attributes, name)
        value = found["value"] if found else None
        if not value:
            return ""
        return html.unescape(value[1:-1] if value[0] in "\"'" else value)


def find_attribute(attributes: str, name: str) -> re.Match[str] | None:
    """Of a tag's attributes the first with a name; its value has its quotes."""
    for found in _ATTRIBUTE.finditer(attributes):
        if found["name"].lower() == name:
            return found
    return None


def elements(text: str) -> Iterator[Element]:
    """Tags in order, none within comments, styles and scripts; where one never ends, no more.

    Comments and the document's type are told, too, as elements called "!--".
    """
    at = 0
    while (opening := _OPENING.search(text, at)) is not None:
        found = _ELEMENT.match(text, opening.start())
        if found is None:
            return
        at = found.end()
        if found["comment"] is not None:
            yield Element(found.start(), at, "!--", False, "", at)
            continue
        name = found["name"].lower()
        closes = bool(found["end"])
        yield Element(
            found.start(), at, name, closes, found["attributes"], found.start("attributes")
        )
        if name in _RAW_ENDS and not closes:
            end = _RAW_ENDS[name].search(text, at)
            if end is None:
                return
            at = end.start()
