"""The words of the template language: a subset of Jinja's, each one known to be safe.

What is not listed here is refused when a template is saved, with a reason where there is a
better way. Nothing here calls, imports, or leaves the values that were given.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signature:
    """How many arguments a word takes by position, and which by name.

    `cost` is the time it takes for each character or row of its value, in units of 0.02
    microseconds, measured; filters that look at a text as a whole take one.
    """

    least: int = 0
    most: int = 0
    keywords: frozenset[str] = frozenset()
    # Names among the arguments and keywords that must be written out, not computed: they are
    # looked up as members or as tests.
    literal: bool = False
    # Where there are any, the first argument is one of these, written out.
    styles: frozenset[str] = frozenset()
    cost: int = 1


_PLAIN = Signature()
_ONE = Signature(1, 1)
_ROWS = 8
_EACH_ROW = Signature(cost=_ROWS)
_BY_ATTRIBUTE = Signature(keywords=frozenset({"attribute"}), literal=True, cost=_ROWS)

_STYLES = frozenset({"short", "medium", "long", "full", "iso"})
_ZONE = frozenset({"timezone"})

FILTERS: dict[str, Signature] = {
    # Texts
    "upper": _PLAIN,
    "lower": _PLAIN,
    "title": _PLAIN,
    "capitalize": _PLAIN,
    "trim": Signature(0, 1),
    "replace": Signature(2, 2),
    "truncate": Signature(1, 2),
    "urlencode": _PLAIN,
    "split": Signature(0, 2, cost=_ROWS),
    "lines": _EACH_ROW,
    "escape": _PLAIN,
    "e": _PLAIN,
    # Absent values
    "default": Signature(0, 2),
    "d": Signature(0, 2),
    # Numbers
    "abs": _PLAIN,
    "round": Signature(0, 1),
    "int": _PLAIN,
    "float": _PLAIN,
    # As the reader's language writes them
    "number": Signature(0, 1),
    "percent": Signature(0, 1),
    "currency": _ONE,
    "date": Signature(0, 1, _ZONE, styles=_STYLES | {"day", "month", "weekday", "year"}),
    "time": Signature(0, 1, _ZONE, styles=_STYLES),
    "datetime": Signature(0, 1, _ZONE, styles=_STYLES),
    # Lists
    "length": _PLAIN,
    "count": _PLAIN,
    "first": _PLAIN,
    "last": _PLAIN,
    "join": Signature(0, 1, cost=_ROWS),
    "sort": Signature(keywords=frozenset({"attribute", "reverse"}), literal=True, cost=_ROWS),
    "reverse": _EACH_ROW,
    "unique": _EACH_ROW,
    "min": _EACH_ROW,
    "max": _EACH_ROW,
    "sum": _EACH_ROW,
    "items": _EACH_ROW,
    "map": _BY_ATTRIBUTE,
    "selectattr": Signature(1, 3, literal=True, cost=_ROWS),
    "rejectattr": Signature(1, 3, literal=True, cost=_ROWS),
}

TESTS: dict[str, Signature] = {
    "defined": _PLAIN,
    "undefined": _PLAIN,
    "none": _PLAIN,
    "string": _PLAIN,
    "number": _PLAIN,
    "boolean": _PLAIN,
    "sequence": _PLAIN,
    "mapping": _PLAIN,
    "true": _PLAIN,
    "false": _PLAIN,
    "odd": _PLAIN,
    "even": _PLAIN,
    "lower": _PLAIN,
    "upper": _PLAIN,
    "divisibleby": _ONE,
    "startingwith": _ONE,
    "endingwith": _ONE,
    "in": Signature(1, 1, cost=_ROWS),
    "eq": _ONE,
    "ne": _ONE,
    "lt": _ONE,
    "le": _ONE,
    "gt": _ONE,
    "ge": _ONE,
}

FUNCTIONS: dict[str, Signature] = {
    "range": Signature(1, 3, cost=_ROWS),
    "loop.cycle": Signature(1, 10),
}

REFUSED_FILTERS: dict[str, str] = {
    "safe": "values are always escaped in HTML; write the markup in the template itself",
    "attr": "write value.name or value['name']",
    "tojson": "a message is text, not a program",
    "format": "write numbers with number(2), and dates with date('long')",
    "string": "values are written as text already; join two with ~",
    "list": "lists can be looped over as they are",
}

REFUSED_TAGS: dict[str, str] = {
    "autoescape": "HTML is always escaped and text never is",
    "macro": "there are no macros",
    "call": "there are no macros",
    "import": "templates import nothing",
    "from": "templates import nothing",
    "include": "parts are put in before a template is rendered",
    "extends": "parts are put in before a template is rendered",
    "block": "parts are put in before a template is rendered",
    "do": "write {{ … }} to output a value",
    "filter": "write {{ value|filter }}",
    "with": "write {% set name = value %}",
    "break": "loops run to their end; choose rows with {% for x in xs if … %}",
    "continue": "choose rows with {% for x in xs if … %}",
    "trans": "write one version per language",
}

CONSTANTS: dict[str, bool | None] = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "none": None,
    "None": None,
}

RESERVED = frozenset(
    {*CONSTANTS, "and", "or", "not", "in", "is", "if", "else", "loop", "self", "super", "range"}
)
"""Names that no variable can have."""


IN_COST = TESTS["in"].cost
"""What the operator costs."""


def is_variable_name(name: str) -> bool:
    """ASCII letters, digits and underscores; begins with a letter; not a word of the language."""
    return (
        name.isascii() and name.isidentifier() and not name.startswith("_")
    ) and name not in RESERVED
