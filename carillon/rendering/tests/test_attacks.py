"""What a hostile template or caller may try: each ends as a typed error, and soon."""

import time
from typing import Any

import pytest

from carillon.rendering import (
    BrokenTemplate,
    InvalidVariables,
    OutputTooLarge,
    RenderingError,
    TooMuchWork,
    check_version,
    render_content,
)
from carillon.rendering.tests.versions import SOON, html_of, text_of, version

BIG = "é b," * 50_000


def refused(source: str, /, **variables: Any) -> RenderingError:
    """The error of rendering `source`, which has to come within the bound.

    It is the thread's own time that counts: the machine may be busy with other tests.
    """
    started = time.thread_time()
    with pytest.raises(RenderingError) as caught:
        text_of(source, **variables)
    assert time.thread_time() - started < SOON
    return caught.value


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("{{ ''.__class__ }}", "private_name"),
        ("{{ x.__class__.__mro__ }}", "private_name"),
        ("{{ x['__class__'] }}", "private_name"),
        ("{{ x|attr('__class__') }}", "refused_filter"),
        ("{{ x|map(attribute='__class__')|join }}", "private_name"),
        ("{{ x|selectattr('__class__')|length }}", "private_name"),
        ("{{ x|map('safe')|join }}", "wrong_arguments"),
        ("{{ x|selectattr('a', 'safe')|length }}", "unknown_test"),
        ("{{ x|safe }}", "refused_filter"),
        ("{{ x|tojson }}", "refused_filter"),
        ("{{ x.append(1) }}", "refused_call"),
        ("{{ x.items() }}", "refused_call"),
        ("{{ x.format(1) }}", "refused_call"),
        ("{{ debug() }}", "refused_call"),
        ("{{ namespace(a=1) }}", "syntax_error"),
        ("{{ namespace() }}", "refused_call"),
        ("{{ cycler('a') }}", "refused_call"),
        ("{{ self }}{{ loop(x) }}", "refused_call"),
        ("{% autoescape false %}{{ x }}{% endautoescape %}", "refused_tag"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "refused_tag"),
        ("{% for x in y recursive %}{{ loop(x) }}{% endfor %}", "refused_tag"),
        ("{% include '/etc/passwd' %}", "refused_tag"),
        ("{% extends 'x' %}", "refused_tag"),
        ("{% import 'os' as os %}", "refused_tag"),
        ("{{ 2 ** 99999 }}", "refused_operator"),
        ("{{ _charge0 }}", "private_name"),
        ("{% set x = [x, x] %}" * 40, "refused_value"),
        ("{% for a in [[x, x], x] %}{% endfor %}", "refused_value"),
        ("{% for a in [x ~ x] %}{% endfor %}", "refused_value"),
        ("{% for a in b if [c ~ c] %}{{ a|indent(9000000000) }}{% endfor %}", "unknown_filter"),
        ("{{ '%2000000000d'|format(1) }}", "refused_filter"),
        ("{{ [x]|batch(2000000000, 'x') }}", "unknown_filter"),
    ],
)
def test_the_language_has_no_way_out(source: str, code: str) -> None:
    error = refused(source, x=["a"], y=[1])

    assert isinstance(error, BrokenTemplate)
    assert error.problems[0].code == code
    assert code in {problem.code for problem in check_version(version(source), "sms")}


@pytest.mark.parametrize(
    "source",
    [
        # Each of these ends the process, by its stack or its memory, if the engine sees it.
        "{{ " + "not " * 50_000 + "1 }}",
        "{{ " + "-" * 50_000 + "1 }}",
        "{{ 1" + "+1" * 30_000 + " }}",
        "{{ 1" + " ~ 1" * 30_000 + " }}",
        "{{ 1" + " and 1" * 30_000 + " }}",
        "{{ x" + ".a" * 50_000 + " }}",
        "{{ " + "[" * 50_000 + "]" * 50_000 + " }}",
        "{{ " + "(" * 50_000 + ")" * 50_000 + " }}",
        "{% if 1 %}" + "{% elif 1 %}" * 15_000 + "{% endif %}",
        "{% if 1 %}" * 10_000,
        "{% for x in y %}" * 10_000,
        "{{" * 100_000,
        "{#" * 100_000,
        "{% raw %}" * 20_000,
        "{{ '" + "\\" * 200_000,
        "{{ x }}" * 30_000,
        "{% set x = 1 %}" * 15_000,
    ],
)
def test_endless_sources_are_refused_before_the_engine_sees_them(source: str) -> None:
    assert isinstance(refused(source, x=1, y=[1]), BrokenTemplate)


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'a' * 2e9 }}",
        "{{ 'a' * 2000000000 }}",
        "{{ 2000000000 * 'a' }}",
        "{{ [1] * 2000000000 }}",
        "{{ x * 2000000000 }}",
        "{{ 'a' * x|length * 2000000000 }}",
        "{% set a = 'a' * 2000000000 %}",
        "{% for i in 'a' * 2000000000 %}{% endfor %}",
    ],
)
def test_nothing_is_multiplied_but_numbers(source: str) -> None:
    assert "multiplied" in refused(source, x="text").message


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a in range(1000) %}" * 4 + "{% endfor %}" * 4,
        "{% for a in rows %}{% for b in rows %}{% if a == b %}x{% endif %}" + "{% endfor %}" * 2,
        "{% for a in rows %}{% for b in rows if big|upper == big %}" + "{% endfor %}" * 2,
        "{% for a in rows if big|upper == big %}{% endfor %}",
        "{% for a in rows if false %}{% endfor %}" * 900,
        "{% for a in range(900) %}{{ big|split('')|sort|join|length }}{% endfor %}",
        "{% for a in range(900) %}{{ big|sort|length }}{% endfor %}",
        "{% for a in rows if rows|unique|length > rows|sort|length %}{% endfor %}",
        "{{ big|upper|lower|title|upper|lower|title|urlencode }}" * 100,
        "{{ range(2000000000)|length }}",
        "{{ range(0, 2000000000, 2)|length }}",
        "{{ range(-2000000000, 0)|length }}",
        "{% set a = big %}" + "{% set a = a ~ a %}" * 20,
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a ~ a ~ a ~ a %}" * 60 + "{{ a|length }}",
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a + a %}" * 60 + "{{ a|length }}",
        "{% set a = [1] %}" + "{% set a = a + a %}" * 60 + "{{ a|length }}",
        "{{ 'a'" + "|replace('a', 'aaaaaaaaaa')" * 12 + "|length }}",
        "{{ rows|join(big)|length }}",
        "{% set a = rows|join(big) %}",
    ],
)
def test_work_is_bounded(source: str) -> None:
    assert isinstance(refused(source, big=BIG, rows=list(range(5_000))), TooMuchWork)


@pytest.mark.parametrize(
    "source",
    [
        "{{ big }}",
        "{{ big ~ big ~ big }}",
        "{{ big|upper }}{{ big|replace('q', 'r') }}",
        "{% for a in range(1000) %}{{ big }}{% endfor %}",
        "{% for a in range(1000) %}" + "raw text " * 20_000 + "{% endfor %}",
        "{% for a in range(1000) %}{% if a %}" + "raw " * 20_000 + "{% endif %}{% endfor %}",
        "{% for a in range(1000) %}{{ '" + "a" * 20_000 + "' }}{% endfor %}",
        "{{ " + " ~ ".join(["big"] * 90) + " }}",
    ],
)
def test_output_is_bounded(source: str) -> None:
    error = refused(source, big=BIG[:60_000])
    assert isinstance(error, (OutputTooLarge, TooMuchWork))


def test_nested_loops_over_given_rows_do_not_multiply() -> None:
    """A loop is a way to name a value; naming must not let it double and double."""
    source = (
        "{% for a in [x, x] %}{% for b in [a, a] %}{% for c in [b, b] %}{% for d in [c, c] %}"
        "{{ d }}{% endfor %}{% endfor %}{% endfor %}{% endfor %}"
    )
    assert text_of(source, x="z") == "z" * 16


def test_variables_of_any_shape_are_bounded() -> None:
    assert isinstance(refused("{{ x|length }}", x="a" * 1_000_000), InvalidVariables)
    assert isinstance(refused("{{ x|length }}", x=[[]] * 200_000), InvalidVariables)
    assert isinstance(refused("{{ x|length }}", x={"k" * 300_000: 1}), InvalidVariables)


def test_work_before_the_first_turn_of_a_loop_is_bounded_without_refusing_honest_mail() -> None:
    rows = [{"name": f"Item number {i}", "price": "12.00"} for i in range(300)]
    source = (
        "{% for row in rows %}<tr><td>{{ row.name|title }}</td>"
        "<td>{{ row.price|replace('.', ',') }}</td></tr>{% endfor %}"
    )
    assert html_of(source, rows=rows).count("<tr>") == 300


@pytest.mark.parametrize("value", ["x\ud800", "\x00"])
def test_broken_characters_do_not_break_the_engine(value: str) -> None:
    content = render_content(version("[{{ x }}]"), "sms", {"x": value})
    assert content.body.startswith("[")
