"""Layouts and partials: what is put in, where, and what is refused."""

from typing import Any

import pytest

from carillon.rendering.layouts import Flattened, Part, flatten
from carillon.rendering.parser import parse
from carillon.rendering.tests.versions import text_of

LAYOUT = "<{% block head %}H{% endblock %}|{% block body %}B {{ a }}{% endblock %}>"


def flat(source: str, code: str = "own", **parts: str) -> Flattened:
    """`source` with the parts `_name` put in."""

    def find(wanted: str) -> Part | None:
        text = parts.get(wanted.removeprefix("_"))
        return None if text is None else Part(wanted, 1, "en", {"content": text})

    return flatten("content", source, find, code=code)


def shown(source: str, /, *, parts: dict[str, str], **variables: Any) -> str:
    """What comes out."""
    made = flat(source, **parts)
    assert made.problems == ()
    assert made.warnings == ()
    return text_of(made.source, **variables)


@pytest.mark.parametrize(
    ("source", "parts", "expected"),
    [
        ('a {% include "_x" %} b', {"x": "X"}, "a X b"),
        ("{% include '_x' %}{% include '_x' %}", {"x": "{{ a }};"}, "1;1;"),
        ("{% include '_x' %}", {"x": "<{% include '_y' %}>", "y": "Y"}, "<Y>"),
        ("{% for a in [5, 6] %}{% include '_x' %}{% endfor %}", {"x": "{{ a }},"}, "5,6,"),
        ("{% include '_x' %}", {"x": LAYOUT}, "<H|B 1>"),
        ("{% extends '_l' %}", {"l": LAYOUT}, "<H|B 1>"),
        (
            "{# a comment #}\n{% extends '_l' %}\n{% block body %}mine{% endblock %}\n",
            {"l": LAYOUT},
            "<H|mine>",
        ),
        (
            "{% extends '_l' %}{% block body %}({{ super() }}){% endblock %}",
            {"l": LAYOUT},
            "<H|(B 1)>",
        ),
        (
            "{% extends '_m' %}{% block body %}top {{ super() }}{% endblock %}",
            {"l": LAYOUT, "m": "{% extends '_l' %}{% block body %}mid {{ super() }}{% endblock %}"},
            "<H|top mid B 1>",
        ),
        (
            "{% extends '_m' %}{% block inner %}I{% endblock %}",
            {
                "l": LAYOUT,
                "m": "{% extends '_l' %}{% block head %}[{% block inner %}x{% endblock %}]"
                "{% endblock %}",
            },
            "<[I]|B 1>",
        ),
        (
            "{% extends '_l' %}{% block body %}{% include '_x' %}{% endblock %}",
            {"l": LAYOUT, "x": "X"},
            "<H|X>",
        ),
        ("{% block a %}plain{% endblock %}{% block b %}{% endblock %}", {}, "plain"),
        ("{% raw %}{% include '_x' %}{% endraw %}", {}, "{% include '_x' %}"),
        ("{% if a %}{% include '_x' %}{% endif %}", {"x": "yes"}, "yes"),
    ],
)
def test_parts_are_put_in(source: str, parts: dict[str, str], expected: str) -> None:
    assert shown(source, parts=parts, a=1) == expected


@pytest.mark.parametrize(
    ("source", "part", "expected"),
    [
        ("a  {%- include '_x' -%}  b", " X ", "a X b"),
        ("a {%- include '_x' %} b", " X ", "a X  b"),
        ("{{ a -}}{% include '_x' %}", "  X", "1  X"),
        ("a  {% include '_x' %}", "{{- a -}}", "a  1"),
        ("{% include '_x' %}  b", "{{- a -}}", "1  b"),
        ("{% include '_x' %}  b", "{{- a -}} ", "1  b"),
        ("{{ a -}} {% include '_x' %}", " X", "1 X"),
        ("{% include '_x' %}{ a }", "{", "{{ a }"),
        ("{{ '{' }}{% include '_x' %}", "{ a }}", "{{ a }}"),
        ("a {% block x -%}  b  {%- endblock %} c", "", "a b c"),
        ("a {%- block x %} b {% endblock -%} c", "", "a b c"),
        (
            "{% extends '_x' %}{% block y -%} b {%- endblock %}",
            "<{% block y %} {% endblock %}>",
            "<b>",
        ),
        (
            "{% extends '_x' %}{% block y %} b {% endblock %}",
            "< {%- block y -%} {% endblock %} >",
            "< b  >",
        ),
    ],
)
def test_white_space_is_that_of_each_source(source: str, part: str, expected: str) -> None:
    assert shown(source, parts={"x": part}, a=1) == expected


def test_a_source_without_parts_stays_as_it_is() -> None:
    source = "Hi {{- name -}} {# c #}{% if a %} { {% endif %}{"
    assert flat(source).source.removesuffix("{% raw %}{{% endraw %}") in source
    assert flat("Hi {{ name }}").source == "Hi {{ name }}"


@pytest.mark.parametrize(
    ("source", "parts", "code", "place", "told"),
    [
        ("\n {% include '_no' %}", {}, "unknown_part", (2, 2), "no published template _no"),
        ("{% include '_e' %}", {"e": " "}, "empty_part", (1, 1), "_e has no content"),
        ("{% extends 'own' %}", {}, "part_cycle", (1, 1), "own → own"),
        (
            "{% include '_x' %}",
            {"x": "{% extends '_y' %}", "y": "\n{% include '_x' %}"},
            "part_cycle",
            (1, 1),
            "In _y, line 2, column 1: A template cannot be part of itself: _x → _y → _x",
        ),
        (
            "ab{% include '_x' %}",
            {"x": "{% include '_no' %}"},
            "unknown_part",
            (1, 3),
            "In _x, line 1",
        ),
        ("{% include a %}", {}, "syntax_error", (1, 1), 'Write {% include "code" %}'),
        ("{% include '_x' ignore missing %}", {}, "syntax_error", (1, 1), "nothing else"),
        ("a{% extends '_x' %}", {"x": "x"}, "syntax_error", (1, 2), "before all else"),
        ("{% extends '_x' %}{% extends '_x' %}", {"x": "x"}, "syntax_error", (1, 19), "once"),
        ("{% extends '_x' %}\n hi", {"x": "x"}, "outside_block", (2, 2), "in no block"),
        ("{% extends '_x' %}{{ a }}", {"x": "x"}, "outside_block", (1, 19), "in no block"),
        (
            "{% extends '_x' %}{% include '_x' %}",
            {"x": "x"},
            "outside_block",
            (1, 19),
            "in no block",
        ),
        ("{% block a %}", {}, "syntax_error", (1, 1), "{% endblock %} is missing"),
        ("{% endblock %}", {}, "syntax_error", (1, 1), "ends nothing"),
        (
            "{% block a %}{% if b %}{% endblock %}{% endif %}",
            {},
            "syntax_error",
            (1, 24),
            "{% if %} is open",
        ),
        (
            "{% if b %}{% block a %}{% endif %}{% endblock %}",
            {},
            "syntax_error",
            (1, 24),
            "{% block %} is open",
        ),
        (
            "{% block a %}{% endblock %}{% block a %}{% endblock %}",
            {},
            "syntax_error",
            (1, 28),
            "two blocks a",
        ),
        ("{% block a b %}{% endblock %}", {}, "syntax_error", (1, 1), "{% block name %}"),
        ("{{ super() }}", {}, "syntax_error", (1, 1), "within a block"),
        (
            "{% extends '_l' %}{% block a %}{% block b %}{{ super() }}{% endblock %}{% endblock %}",
            {"l": "{% block b %}{% block a %}{% endblock %}{% endblock %}"},
            "part_cycle",
            (1, 32),
            "The block b stands within itself",
        ),
    ],
)
def test_what_cannot_be_put_in_is_refused_where_it_stands(
    source: str, parts: dict[str, str], code: str, place: tuple[int, int], told: str
) -> None:
    (problem,) = flat(source, **parts).problems
    assert (problem.code, problem.field) == (code, "content")
    assert (problem.line, problem.column) == place
    assert told in problem.message


def test_all_unknown_parts_are_told_at_once() -> None:
    problems = flat("{% include '_a' %}\n{% include '_b' %}").problems
    assert [(p.code, p.line) for p in problems] == [("unknown_part", 1), ("unknown_part", 2)]


def test_a_block_that_the_layout_has_not_is_warned_of() -> None:
    made = flat("{% extends '_l' %}\n{% block bdy %}x{% endblock %}", l=LAYOUT)
    (warning,) = made.warnings
    assert (warning.code, warning.line, warning.column) == ("unknown_block", 2, 1)
    assert made.problems == ()


def test_parts_are_bounded_in_depth_number_and_length() -> None:
    chain = {f"p{n}": f"{{% include '_p{n + 1}' %}}" for n in range(20)}
    assert [p.code for p in flat("{% include '_p0' %}", **chain).problems] == ["too_complex"]
    doubling = {f"d{n}": f"{{% include '_d{n + 1}' %}}" * 2 for n in range(8)}
    assert "too_complex" in {
        p.code for p in flat("{% include '_d0' %}", d8="x", **doubling).problems
    }
    long = flat("{% include '_x' %}" * 3, x="x" * 100_000)
    assert [p.code for p in long.problems] == ["too_long"]


def test_a_problem_in_a_part_is_told_where_it_was_put_in() -> None:
    made = flat("Hi\n  {% include '_x' %} {{ b|nope }}", x="fine\n {{ a|nope }}")
    found = [made.in_own_terms(problem) for problem in parse(made.source).problems]
    assert [(p.line, p.column) for p in found] == [(2, 3), (2, 27)]
    assert found[0].message.startswith("In _x, line 2, column 7: There is no filter nope")
    assert found[1].message.startswith("There is no filter nope")
