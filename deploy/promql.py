"""What a PromQL query names: enough of the language to check queries without a server."""

import re
from dataclasses import dataclass

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
_MATCHERS = re.compile(r"([a-zA-Z_:][\w:]*)?\{([^{}]*)\}")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPING = re.compile(
    r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)", re.IGNORECASE
)
_RANGE = re.compile(r"\[[^\]]*\]")
_NAME = re.compile(r"(?<![\w:.$])([a-zA-Z_:][\w:]*)(?!\s*\()(?![\w:])")
_WORDS = frozenset({"and", "or", "unless", "offset", "bool", "by", "without", "inf", "nan"})


@dataclass(frozen=True, slots=True)
class Named:
    """What a query names: series, the labels asked of each, and the labels that it groups by."""

    series: frozenset[str]
    matched: frozenset[tuple[str, str]]
    grouped: frozenset[str]


def named(query: str) -> Named:
    """What `query` names. It is taken for valid: promtool says whether it is."""
    text = _STRING.sub('""', query)
    matched = frozenset(
        (series, label)
        for series, matchers in _MATCHERS.findall(text)
        for label in _LABEL.findall(matchers)
    )
    text = re.sub(r"\{[^{}]*\}", " ", text)
    grouped = frozenset(
        label.strip()
        for labels in _GROUPING.findall(text)
        for label in labels.split(",")
        if label.strip()
    )
    # A function, an aggregation too, is a word before a bracket; grouping may stand between them.
    text = re.sub(r"\b(\w+)\s*(?=\()", " ", _RANGE.sub(" ", _GROUPING.sub(" ", text)))
    series = frozenset(name for name in _NAME.findall(text) if name.lower() not in _WORDS)
    return Named(series, matched, grouped)
