"""What an author may write, and where we say that it is wrong."""

import pytest

from carillon.rendering import check_syntax, limits, undeclared_variables


@pytest.mark.parametrize(
    "source",
    [
        "",
        "No tags at all { } {} %",
        "{{ name }}",
        "{{name}}",
        "{{ order.items[0]['price'] | round(2) }}",
        "{{ a or b and not c }}",
        "{{ 'x' if a == 1 else 'y' if b else 'z' }}",
        "{{ a not in [1, 2,] }}",
        "{{ -a + 1 - 2 * 3 / 4 // 5 % 6 ~ 'z' }}",
        "{{ a is not defined }}{{ b is divisibleby(3) }}{{ c is none }}",
        "{% if a %}1{% elif b %}2{% else %}3{% endif %}",
        "{% for a, b in c|items if b > 1 %}{{ loop.index }}{% else %}none{% endfor %}",
        "{% set greeting = 'Hi ' ~ name %}{{ greeting }}",
        "{%- if a -%} x {%- endif +%}",
        "{# a comment with {{ and %} #}",
        "{% raw %}{{ not a tag }} {% if %}{% endraw %}",
        "{{ '}}' ~ \"%}\" ~ '\\'' }}",
        "{{ rows|sort(attribute='price', reverse=true)|map(attribute='name')|join(', ') }}",
        "{{ rows|selectattr('paid', 'eq', true)|length }}",
        "{{ loop_index }}",
    ],
)
def test_the_language_is_accepted(source: str) -> None:
    assert check_syntax(source) == ()


@pytest.mark.parametrize(
    ("source", "code", "line", "column"),
    [
        ("{{ a", "syntax_error", 1, 1),
        ("ok\n{{ 'text }}", "syntax_error", 2, 4),
        ("ab\n cd {{ x \n y }}", "syntax_error", 3, 2),
        ("{# no end", "syntax_error", 1, 1),
        ("x\n\n  {% raw %}", "syntax_error", 3, 3),
        ("{{ }}", "syntax_error", 1, 4),
        ("{% %}", "syntax_error", 1, 4),
        ("{{ a | }}", "syntax_error", 1, 8),
        ("{{ a. }}", "syntax_error", 1, 7),
        ("{{ (a }}", "syntax_error", 1, 7),
        ("{{ (a, b) }}", "syntax_error", 1, 6),
        ("{{ {'a': 1} }}", "syntax_error", 1, 4),
        ("{{ a[1:2] }}", "syntax_error", 1, 7),
        ("{{ 1 < 2 < 3 }}", "syntax_error", 1, 10),
        ("{{ 'a\\q' }}", "syntax_error", 1, 6),
        ("{{ '\\u0000' }}", "syntax_error", 1, 5),
        ("{{ '\\ud800' }}", "syntax_error", 1, 5),
        ("{{ 99999999999999999999 }}", "syntax_error", 1, 4),
        ("{{ 1e999 }}", "syntax_error", 1, 4),
        ("{{ é }}", "syntax_error", 1, 4),
        ("a\n{% if x %}b", "syntax_error", 2, 1),
        ("{% endif %}", "syntax_error", 1, 1),
        ("{% for x in y %}{% endif %}", "syntax_error", 1, 17),
        ("{% if a %}{% else %}{% else %}{% endif %}", "syntax_error", 1, 21),
        ("{% for x y %}{% endfor %}", "syntax_error", 1, 10),
        ("{% set x %}", "syntax_error", 1, 10),
        ("{% set a, b = c %}", "syntax_error", 1, 9),
        ("{% unknown %}", "syntax_error", 1, 1),
        ("{{ a|filter_that_is_not }}", "unknown_filter", 1, 6),
        ("{{ a is odd_ }}", "unknown_test", 1, 9),
        ("{{ a|upper(1) }}", "wrong_arguments", 1, 6),
        ("{{ a|sort(by='x') }}", "wrong_arguments", 1, 6),
        ("{{ a|map }}", "wrong_arguments", 1, 6),
        ("{{ a|map(attribute=b) }}", "wrong_arguments", 1, 20),
        ("{{ a|selectattr('x', 'nope') }}", "unknown_test", 1, 22),
        ("{{ a is divisibleby }}", "wrong_arguments", 1, 9),
        ("{{ range() }}", "wrong_arguments", 1, 4),
        ("{% for loop in x %}{% endfor %}", "private_name", 1, 8),
    ],
)
def test_a_problem_says_where_it_is(source: str, code: str, line: int, column: int) -> None:
    problem = check_syntax(source)[0]
    assert (problem.code, problem.line, problem.column) == (code, line, column), problem


def test_all_problems_are_told_at_once() -> None:
    problems = check_syntax("{{ a|uper }}\n{{ b ! }}\n{{ _c }}\n{{ d( }}")
    assert [(p.line, p.code) for p in problems] == [(1, "unknown_filter"), (2, "syntax_error")]

    problems = check_syntax("{{ a|uper }}\n{{ b b }}\n{{ _c }}\n{{ d|safe }}")
    assert [(p.line, p.code) for p in problems] == [
        (1, "unknown_filter"),
        (2, "syntax_error"),
        (3, "private_name"),
        (4, "refused_filter"),
    ]


def test_a_misspelt_filter_gets_a_suggestion() -> None:
    assert "did you mean upper?" in check_syntax("{{ a|uper }}")[0].message


@pytest.mark.parametrize(
    "tag",
    ["autoescape false", "macro m()", "call m()", "import 'a' as b", "from 'a' import b", "do x"],
)
def test_tags_that_are_not_ours_are_refused_by_name(tag: str) -> None:
    (problem,) = check_syntax(f"{{% {tag} %}}")
    assert problem.code == "refused_tag"
    assert tag.split()[0] in problem.message


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("{{ a }} {{ b.c }} {{ d[e] }}", {"a", "b", "d", "e"}),
        ("{% for row in rows %}{{ row.x }} {{ loop.index }} {{ y }}{% endfor %}", {"rows", "y"}),
        ("{% for k, v in m|items %}{{ k ~ v }}{% endfor %}{{ k }}", {"m", "k"}),
        ("{% set a = b %}{{ a }}", {"b"}),
        ("{{ a }}{% set a = 1 %}", {"a"}),
        ("{% if x %}{% set a = 1 %}{% endif %}{{ a }}", {"x", "a"}),
        ("{% if x %}{% set a = 1 %}{% else %}{% set a = 2 %}{% endif %}{{ a }}", {"x"}),
        ("{% for i in r %}{% set a = 1 %}{% endfor %}{{ a }}", {"r", "a"}),
        ("{{ a|default(b) }}{{ c is defined }}", {"a", "b", "c"}),
        ("{{ loop.index }}", {"loop"}),
        ("{{ loop.cycle('a', 'b') }}", {"loop"}),
        ("{% for x in xs if x > least %}{% else %}{{ x }}{% endfor %}", {"xs", "least", "x"}),
        ("{{ range(n) }}", {"n"}),
        ("{{ true }} {{ none }} {# {{ a }} #}{% raw %}{{ b }}{% endraw %}", set()),
    ],
)
def test_undeclared_variables(source: str, names: set[str]) -> None:
    assert undeclared_variables(source) == names


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "(" * 50 + "1" + ")" * 50 + " }}",
        "{{ " + "[" * 50 + "1" + "]" * 50 + " }}",
        "{{ 1" + " + 1" * 500 + " }}",
        "{{ " + "not " * 500 + "1 }}",
        "{{ x" + ".a" * 500 + " }}",
        "{{ 1" + "|abs" * 500 + " }}",
        "{% if 1 %}" * 30 + "{% endif %}" * 30,
        "{% for a in b %}" * 5 + "{% endfor %}" * 5,
        "{% if 1 %}" + "{% elif 1 %}" * 100 + "{% endif %}",
        "{{ x }}" * (limits.TAGS_MOST + 1),
    ],
)
def test_complexity_is_bounded(source: str) -> None:
    assert check_syntax(source)[0].code == "too_complex"


def test_length_is_bounded() -> None:
    assert check_syntax("x" * limits.SOURCE_MOST) == ()
    assert check_syntax("x" * (limits.SOURCE_MOST + 1))[0].code == "too_long"
