"""What a template says with given variables."""

from typing import Any

import pytest

from carillon.rendering import InvalidVariables, MissingVariables, RenderFailed, render_content
from carillon.rendering.tests.versions import html_of, text_of, version


@pytest.mark.parametrize(
    ("source", "variables", "expected"),
    [
        ("Hi {{ name }}!", {"name": "Ada"}, "Hi Ada!"),
        ("{{ n }} {{ f }} {{ t }}", {"n": 3, "f": 1.5, "t": True}, "3 1.5 True"),
        ("{{ o.a.b }} {{ o['a']['b'] }}", {"o": {"a": {"b": "x"}}}, "x x"),
        ("{{ (rows|first).n }}{{ (rows|last)['n'] }}", {"rows": [{"n": 1}, {"n": 2}]}, "12"),
        ("{{ -('3'|int) }}{{ not (a|upper) }}", {"a": ""}, "-3True"),
        ("{{ o.items }}{{ o.keys }}", {"o": {"items": "a", "keys": "b"}}, "ab"),
        ("{{ o.items[1] }}{{ o.items.0 }}", {"o": {"items": ["a", "b"]}}, "ba"),
        ("{{ xs[i] }}", {"xs": ["a", "b"], "i": 1}, "b"),
        ("{% for x in xs %}{{ loop.index }}{{ x }},{% endfor %}", {"xs": ["a", "b"]}, "1a,2b,"),
        ("{% for x in xs %}x{% else %}none{% endfor %}", {"xs": []}, "none"),
        ("{% for x in xs if x > 1 %}{{ x }}{% endfor %}", {"xs": [1, 2, 3]}, "23"),
        ("{% for k, v in o|items %}{{ k }}={{ v }};{% endfor %}", {"o": {"a": 1}}, "a=1;"),
        ("{% for k in o %}{{ k }}{% endfor %}", {"o": {"a": 1, "b": 2}}, "ab"),
        ("{% for x in xs %}{{ loop.cycle('a', 'b') }}{% endfor %}", {"xs": [1, 2, 3]}, "aba"),
        ("{% for i in range(3) %}{{ i }}{% endfor %}", {}, "012"),
        ("{% for i in range(5, 0, -2) %}{{ i }}{% endfor %}", {}, "531"),
        ("{% if a %}1{% elif b %}2{% else %}3{% endif %}", {"a": 0, "b": ""}, "3"),
        ("{% if a and not b or c == 'x' %}y{% endif %}", {"a": 1, "b": 0, "c": ""}, "y"),
        ("{{ 'y' if a in [1, 2] else 'n' }}{{ 'z' if a > 5 }}", {"a": 2}, "y"),
        ("{% set x = a ~ '-' ~ b %}{{ x }}{{ x }}", {"a": 1, "b": 2}, "1-21-2"),
        (
            "{{ 1 + 2 * 3 - 4 }} {{ (1 + 2) * 3 }} {{ 7 // 2 }} {{ 7 % 4 }} {{ 7 / 2 }}",
            {},
            "3 9 3 3 3.5",
        ),
        ("{{ 2 - 1 - 1 }} {{ 8 / 4 / 2 }} {{ -a }} {{ -a|abs }}", {"a": 3}, "0 1 -3 3"),
        ("{{ price * quantity }}", {"price": 2.5, "quantity": 4}, "10"),
        ("{{ 'a' < 'b' }} {{ 1 != 2 }} {{ 2 >= 2 }}", {}, "True True True"),
        (
            "{{ a|upper }}{{ a|title }}{{ a|capitalize }}{{ a|lower }}",
            {"a": "aB c"},
            "AB CAb CAb cab c",
        ),
        ("{{ a|trim }}|{{ 'xax'|trim('x') }}", {"a": "  a "}, "a|a"),
        ("{{ a|replace('o', '0') }}", {"a": "foo"}, "f00"),
        (
            "{{ a|truncate(8) }} {{ a|truncate(9, '') }} {{ a|truncate(99) }}",
            {"a": "one two three"},
            "one two… one two one two three",
        ),
        ("{{ 'abcdef'|truncate(4) }}", {}, "abc…"),
        ("{{ 'a b&c'|urlencode }}", {}, "a%20b%26c"),
        ("{{ 'a,b'|split(',')|join(' / ') }} {{ 'x\\ny'|lines|length }}", {}, "a / b 2"),
        (
            "{{ xs|join }} {{ xs|join(', ') }} {{ xs|length }}",
            {"xs": [1, "b", None]},
            "1b 1, b,  3",
        ),
        (
            "{{ xs|first }}{{ xs|last }}{{ xs|min }}{{ xs|max }}{{ xs|sum }}",
            {"xs": [3, 1, 2]},
            "32136",
        ),
        (
            "{{ xs|sort|join }}{{ xs|sort(reverse=true)|join }}{{ xs|reverse|join }}",
            {"xs": [3, 1, 2]},
            "123321213",
        ),
        ("{{ xs|unique|join }}", {"xs": [1, 2, 1]}, "12"),
        ("{{ rows|map(attribute='n')|join(',') }}", {"rows": [{"n": 1}, {"n": 2}]}, "1,2"),
        (
            "{{ rows|sort(attribute='n')|map(attribute='n')|join }}",
            {"rows": [{"n": 2}, {"n": 1}]},
            "12",
        ),
        (
            "{{ rows|selectattr('n', 'gt', 1)|length }}{{ rows|rejectattr('n')|length }}",
            {"rows": [{"n": 2}, {"n": 1}, {"n": 0}]},
            "11",
        ),
        (
            "{{ 3.14159|round(2) }} {{ '7'|int + 1 }} {{ '1.5'|float }} {{ -3|abs }}",
            {},
            "3.14 8 1.5 3",
        ),
        (
            "{{ a is string }}{{ b is mapping }}{{ c is sequence }}{{ d is none }}",
            {"a": "", "b": {}, "c": [], "d": {"x": None}},
            "TrueTrueTrueFalse",
        ),
        ("{{ d.x is none }}[{{ d.x }}]", {"d": {"x": None}}, "True[]"),
        ("a {{- ' b ' -}} c", {}, "a b c"),
        ("a\n{%- if 1 %}\nb{% endif -%}  \nc", {}, "a\nbc"),
        ("{% raw %}{{ a }}{% endraw %}{# gone #}!", {}, "{{ a }}!"),
        ("{ {#- c -#} {{ 1 }}", {}, "{1"),
        ("{{ '{{' }}{{ '{%' }} {", {}, "{{{% {"),
        ("line\r\nline\n", {}, "line\r\nline\n"),
        ("{{ 'tab\\tquote\\'back\\\\slash\\u00e9' }}", {}, "tab\tquote'back\\slashé"),
    ],
)
def test_language(source: str, variables: dict[str, Any], expected: str) -> None:
    assert text_of(source, **variables) == expected


def test_html_is_escaped_and_text_is_not() -> None:
    script = "<script>alert('1')</script> & \"co\""
    escaped = "&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt; &amp; &quot;co&quot;"

    assert html_of("<p>{{ x }}</p>", x=script) == f"<p>{escaped}</p>"
    assert text_of("{{ x }}", x=script) == script


@pytest.mark.parametrize("source", ["{{ x|e }}", "{{ x|escape }}", "{{ x|e|e }}", "{{ '' ~ x }}"])
def test_escaping_happens_once(source: str) -> None:
    assert html_of(source, x="<&>") == "&lt;&amp;&gt;"
    assert text_of(source, x="<&>") == "<&>"


@pytest.mark.parametrize(
    "source",
    [
        "{% set y = '<b>' ~ x %}{{ y }}",
        "{% for y in [x] %}{{ y }}{% endfor %}",
        "{{ x|upper }}",
        "{{ [x]|join }}",
        "{{ x|replace('i', '<') }}",
        "{{ x|default('<b>') }}",
        "{{ missing|default('<b>') }}",
        "{{ '<b>' if true }}",
    ],
)
def test_no_way_through_a_template_leaves_html_unescaped(source: str) -> None:
    assert "<" not in html_of(source, x="<i>")


def test_all_missing_required_variables_are_named_at_once() -> None:
    made = version("{{ a }}{{ b }}{{ c }}", required=("a", "b", "c"))

    with pytest.raises(MissingVariables) as caught:
        render_content(made, "sms", {"b": 1, "c": None})

    assert caught.value.names == ("a", "c")


@pytest.mark.parametrize(
    ("source", "variables", "name", "column"),
    [
        ("{{ a }}", {}, "a", 4),
        ("{{ o.total }}", {"o": {}}, "o.total", 4),
        ("{{ o.a.b }}", {"o": {}}, "o.a", 4),
        ("{% if a %}{% endif %}", {}, "a", 7),
        ("{% for x in rows %}{{ x.name }}{% endfor %}", {"rows": [{}]}, "x.name", 23),
        ("{% for x in rows %}{% endfor %}", {}, "rows", 13),
        ("é😀 {{ 'ü' ~ a }}", {}, "a", 7),
        ("{{ o.values }}", {"o": {}}, "o.values", 4),
        ("{{ xs.append }}", {"xs": []}, "xs.append", 4),
    ],
)
def test_undefined_is_an_error_that_names_it(
    source: str, variables: dict[str, Any], name: str, column: int
) -> None:
    with pytest.raises(MissingVariables) as caught:
        text_of(source, **variables)

    assert caught.value.names == (name,)
    assert (caught.value.line, caught.value.column) == (1, column)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Hi {{ nick }}!", "Hi !"),
        ("Hi {{ nick|default('friend') }}!", "Hi friend!"),
        ("{% if nick %}a{% else %}b{% endif %}", "b"),
        ("{{ 'a' if nick is defined else 'b' }}", "b"),
        ("{{ nick.first }}|{{ nick.a.b.c }}|{{ nick[0] }}", "||"),
        ("{{ nick.first|default('x') }}{{ nick.a.b|default('y') }}", "xy"),
        ("{{ nick.first is defined }}", "False"),
        ("{% for x in nick %}a{% else %}b{% endfor %}", "b"),
        ("{% for k, v in nick|items %}a{% else %}b{% endfor %}", "b"),
        ("{{ nick|upper }}{{ nick|length }}{{ nick|join(',') }}", "0"),
        ("{{ nick == 'x' }}{{ not nick }}", "FalseTrue"),
        ("{% for nick in [1] %}{{ nick }}{% endfor %}", "1"),
        ("{% set nick = nick|default('q') %}{{ nick }}", "q"),
    ],
)
@pytest.mark.parametrize("given", [{}, {"nick": None}])
def test_an_optional_variable_may_be_absent_or_null(
    source: str, expected: str, given: dict[str, Any]
) -> None:
    assert text_of(source + "\n", optional=("nick",), **given) == expected + "\n"


def test_an_optional_variable_is_used_when_given() -> None:
    source = "{{ nick }} {{ nick|default('x') }} {{ nick is defined }}"
    assert text_of(source, optional=("nick",), nick="Al") == "Al Al True"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ s + 1 }}", "+ does not work with string and number"),
        ("{{ 1 / 0 }}", "does not fit"),
        ("{{ s|int }}", "does not fit"),
        ("{{ o }}", "cannot be written"),
        ("{{ xs }}", "cannot be written"),
        ("{{ xs|join(',') }}", "join takes a list of texts"),
        ("{{ s|join }}", "join takes a list"),
        ("{{ xs|replace('a', 'b') }}", "replace takes a text"),
        ("{{ s|replace('', 'b') }}", "empty text"),
        ("{{ s|truncate('x') }}", "number of characters"),
        ("{{ s|items }}", "items takes an object"),
        ("{{ s * 3 }}", "Only numbers can be multiplied"),
        ("{{ 3 * s }}", "Only numbers can be multiplied"),
        ("{{ xs * 2.0 }}", "Only numbers can be multiplied"),
        ("{{ range('a') }}", "whole numbers"),
        ("{{ range(0, 5, 0) }}", "steps of 0"),
    ],
)
def test_what_does_not_fit_is_said_without_quoting_values(source: str, message: str) -> None:
    with pytest.raises(RenderFailed) as caught:
        text_of(f"\n{source}", s="secret", xs=[[1]], o={"a": "secret"})

    assert message in caught.value.message
    assert "secret" not in str(caught.value)
    assert caught.value.field == "content"


def test_a_failure_says_where_it_is() -> None:
    with pytest.raises(RenderFailed) as caught:
        text_of("line one\n  {{ a + 1 }}", a="x")

    assert (caught.value.line, caught.value.column) == (2, 6)


class _Sneaky(dict[str, Any]):
    """A mapping with more than its keys."""


@pytest.mark.parametrize(
    "value",
    [object(), _Sneaky(), {1: 2}, {"a": b"bytes"}, [object()], 2**70, ["x", {"y": {1, 2}}]],
)
def test_only_json_values_are_taken(value: object) -> None:
    with pytest.raises(InvalidVariables):
        text_of("{{ x is defined }}", x=value)


def test_deep_and_large_variables_are_refused() -> None:
    deep: list[Any] = []
    for _ in range(100):
        deep = [deep]
    with pytest.raises(InvalidVariables, match="nested too deeply"):
        text_of("{{ x|length }}", x=deep)
    with pytest.raises(InvalidVariables, match="too large"):
        text_of("{{ x|length }}", x="a" * 300_000)
    with pytest.raises(InvalidVariables, match="too large"):
        text_of("{{ x|length }}", x=[1] * 40_000)


def test_variables_that_are_not_used_cost_nothing() -> None:
    assert text_of("{{ a }}", a="x", unused="a" * 1_000_000, other=object()) == "x"


def test_the_callers_values_are_not_changed() -> None:
    given: dict[str, Any] = {"rows": [{"n": 2}, {"n": 1}], "o": {"k": [1]}}

    text_of("{{ rows|sort(attribute='n')|length }}{{ o.k|reverse|join }}", **given)

    assert given == {"rows": [{"n": 2}, {"n": 1}], "o": {"k": [1]}}
