"""Reads a template's HTML far enough to know where in it each value is put.

Escaping protects a value between tags and inside a quoted attribute. It does not protect an
attribute without quotes, the name of a tag, a script, or a link that begins with a scheme of the
caller's choice: the first three are refused, and links get a filter.
"""

import html
import re
from dataclasses import dataclass, replace
from enum import Enum

from carillon.rendering.links import is_safe
from carillon.rendering.nodes import Body, For, If, Output, Text
from carillon.rendering.words import Report

LINK_ATTRIBUTES = frozenset(
    {"href", "src", "action", "formaction", "background", "cite", "poster", "data", "xlink:href"}
)
_RAW_ENDS = {
    element: re.compile(f"</{element}", re.IGNORECASE)
    for element in ("script", "style", "title", "textarea")
}
_TAG_NAME = re.compile(r"[^\s>]*")
_BETWEEN_ATTRIBUTES = re.compile(r"[\s/=]*")
_ATTRIBUTE_NAME = re.compile(r"[^\s=>/]*")
_UNQUOTED_VALUE = re.compile(r"[^\s>]*")
_SPACE = re.compile(r"\s*")
_SCHEME_ENDS = ":/?#"
# A scheme is found in so much of a value, even if every character of it is an entity.
_VALUE_KEPT = 2_048


class _State(Enum):
    TEXT = "text"
    TAG_NAME = "tag name"
    TAG = "tag"  # inside a tag, where an attribute may begin
    ATTRIBUTE = "attribute name"
    BEFORE_VALUE = "before value"
    UNQUOTED = "unquoted value"
    QUOTED = "quoted value"
    COMMENT = "comment"
    RAW = "raw text"  # script, style, title, textarea: up to their end tag


@dataclass(slots=True)
class _Place:
    """Where in the HTML a character stands; it moves along."""

    state: _State = _State.TEXT
    element: str = ""
    attribute: str = ""
    quote: str = ""
    # What stands in the value so far; dynamic parts are left out, and remembered.
    value: str = ""
    dynamic: bool = False


def find_links(body: Body, report: Report) -> dict[int, str]:
    """The outputs (by offset) that stand in a link, with the filter that each one needs.

    Reports values where they cannot be made safe, and links that run a script.
    """
    reader = _Reader(report)
    reader.read(body, _Place())
    return reader.links


class _Reader:
    def __init__(self, report: Report) -> None:
        self._report = report
        self.links: dict[int, str] = {}

    def read(self, body: Body, place: _Place) -> None:
        """Moves `place` to the end of `body`: of several branches, along the first."""
        for statement in body:
            match statement:
                case Text():
                    self._text(statement, place)
                case Output():
                    self._output(statement.at, place)
                case If():
                    for _, inner in statement.branches[1:]:
                        self.read(inner, replace(place))
                    self.read(statement.branches[0][1], place)
                case For():
                    self.read(statement.otherwise, replace(place))
                    self.read(statement.body, place)

    def _output(self, at: int, place: _Place) -> None:
        match place.state:
            case _State.QUOTED:
                self._in_value(at, place)
            case _State.BEFORE_VALUE | _State.UNQUOTED:
                message = f'Put quotes around this value: {place.attribute}="{{{{ … }}}}".'
                self._report(at, "unquoted_attribute", message)
                place.state = _State.UNQUOTED
            case _State.TAG_NAME | _State.TAG | _State.ATTRIBUTE:
                message = "A value cannot be the name of a tag or of an attribute."
                self._report(at, "value_in_tag", message)
            case _State.RAW if place.element == "script":
                self._report(at, "value_in_script", "A value cannot stand in a script.")

    def _in_value(self, at: int, place: _Place) -> None:
        if place.attribute.startswith("on") or place.attribute == "srcdoc":
            message = f"A value cannot stand in {place.attribute}: it would be run."
            self._report(at, "value_in_script", message)
        elif place.attribute in LINK_ATTRIBUTES and not _names_scheme(place.value):
            begins = not place.value.strip() and not place.dynamic
            self.links[at] = "_link" if begins else "_link_end"
        place.dynamic = True

    def _text(self, part: Text, place: _Place) -> None:
        text, at = part.text, 0
        while at < len(text):
            match place.state:
                case _State.TEXT:
                    at = _in_text(text, at, place)
                case _State.COMMENT:
                    at = _in_comment(text, at, place)
                case _State.RAW:
                    at = _in_raw(text, at, place)
                case _State.QUOTED | _State.UNQUOTED:
                    at = self._value(part, at, place)
                case _:
                    at = _in_tag(text, at, place)

    def _value(self, part: Text, at: int, place: _Place) -> int:
        text = part.text
        if place.state is _State.QUOTED:
            end = text.find(place.quote, at)
            stop = len(text) if end < 0 else end
        else:
            stop = end = _end(_UNQUOTED_VALUE, text, at)
        place.value = (place.value + text[at:stop])[:_VALUE_KEPT]
        if end in {-1, len(text)}:
            return len(text)
        if place.attribute in LINK_ATTRIBUTES and not is_safe(html.unescape(place.value)):
            message = f"This {place.attribute} would run a script."
            self._report(part.at + at, "script_link", message)
        if place.state is _State.QUOTED:
            end += 1
        place.state, place.attribute, place.value = _State.TAG, "", ""
        place.dynamic = False
        return end


def _names_scheme(value: str) -> bool:
    return any(character in _SCHEME_ENDS for character in html.unescape(value))


def _end(run: re.Pattern[str], text: str, at: int) -> int:
    found = run.match(text, at)
    return found.end() if found else at


def _in_comment(text: str, at: int, place: _Place) -> int:
    found = text.find("-->", at)
    if found < 0:
        return len(text)
    place.state = _State.TEXT
    return found + 3


def _in_text(text: str, at: int, place: _Place) -> int:
    found = text.find("<", at)
    if found < 0:
        return len(text)
    if text.startswith("<!--", found):
        place.state = _State.COMMENT
        return found + 4
    follows = text[found + 1 : found + 2]
    if not follows or follows.isalpha() or follows in "/!?":
        place.state, place.element = _State.TAG_NAME, ""
    return found + 1


def _in_raw(text: str, at: int, place: _Place) -> int:
    found = _RAW_ENDS[place.element].search(text, at)
    if found is None:
        return len(text)
    place.state, place.element = _State.TAG_NAME, ""
    return found.start() + 1


def _in_tag(text: str, at: int, place: _Place) -> int:
    if text[at] == ">":
        place.state = _State.RAW if place.element in _RAW_ENDS else _State.TEXT
        place.attribute = ""
        return at + 1
    match place.state:
        case _State.TAG_NAME:
            end = _end(_TAG_NAME, text, at)
            place.element = (place.element + text[at:end].lower())[:_VALUE_KEPT]
            # A name at the end of a text may go on after a value.
            place.state = _State.TAG if end < len(text) else _State.TAG_NAME
            return end
        case _State.TAG:
            end = _end(_BETWEEN_ATTRIBUTES, text, at)
            if end == at:
                place.state = _State.ATTRIBUTE
            return end
        case _State.ATTRIBUTE:
            return _in_attribute(text, at, place)
    end = _end(_SPACE, text, at)
    if end > at:
        return end
    if text[at] in "\"'":
        place.state, place.quote = _State.QUOTED, text[at]
        return at + 1
    place.state = _State.UNQUOTED
    return at


def _in_attribute(text: str, at: int, place: _Place) -> int:
    end = _end(_ATTRIBUTE_NAME, text, at)
    place.attribute = (place.attribute + text[at:end].lower())[:_VALUE_KEPT]
    # `href = "…"`: the sign may stand apart.
    sign = _end(_SPACE, text, end)
    if sign < len(text) and text[sign] == "=":
        place.state = _State.BEFORE_VALUE
        return sign + 1
    if end < len(text):
        place.state, place.attribute = _State.TAG, ""
    return end
