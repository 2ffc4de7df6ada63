"""Properties that hold for templates and values of any shape."""

import contextlib
import html
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from minijinja import Environment

from carillon.rendering import (
    MissingVariables,
    RenderFailed,
    RenderingError,
    check_syntax,
    render_content,
)
from carillon.rendering.parser import parse
from carillon.rendering.tests.versions import html_of, text_of, version

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "items", "copy", "x y"]), inner, max_size=3)
    ),
    max_leaves=8,
)

_FRAGMENTS = """
{{ }} {% %} {# #} - + ' " \\ if else elif endif for in endfor set = x y row rows a.b .0 |
upper default('z') join(',') items sort ( ) [ ] , 1 2.5 ~ * / // % == != < > and or not is
defined none raw endraw text é 😀 <a href=" "> <script> loop.index range(3) { }
"""
_TAGS = ("{{ x }}", "{% if x %}", "{% endif %}", "{% for row in rows %}", "{% endfor %}")
fragments = st.sampled_from([*_FRAGMENTS.split(), *_TAGS, " ", "\n"])


@given(
    st.lists(fragments, max_size=25).map(" ".join) | st.lists(fragments, max_size=25).map("".join)
)
@settings(max_examples=400, deadline=None)
def test_any_source_is_rendered_or_refused(source: str) -> None:
    parse(source)
    made = version(source, subject="s", html=source, optional=("y",))
    with contextlib.suppress(RenderingError):
        render_content(made, "email", {"x": "<b>", "rows": [{"a": 1}], "a": {"b": 2}})


@given(texts)
def test_a_text_without_tags_is_left_as_it_is(text: str) -> None:
    text = text.replace("{", "(")
    assert check_syntax(text) == ()
    assert text_of(f"x{text}") == f"x{text}"


@given(texts)
@example("{{ x }} {% if %} {# #} {% raw %}")
def test_raw_blocks_output_anything(text: str) -> None:
    assert text_of(f"{{% raw %}}{text}{{% endraw %}}!") == f"{text}!"


@given(texts)
@example("\\ \" ' \n \t {{ }} %}")
def test_a_text_in_an_expression_is_that_text(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    assert text_of(f"x{{{{ '{quoted}' }}}}") == f"x{text}"


@given(texts)
def test_a_value_is_output_unchanged_in_text_and_escaped_in_html(value: str) -> None:
    assert text_of("[{{ x }}]", x=value) == f"[{value}]"
    rendered = html_of('<p title="{{ x }}">{{ x }}</p>', x=value)
    assert html.unescape(rendered.replace("&#x0d;", "\r")) == f'<p title="{value}">{value}</p>'
    assert rendered.count("<") == 2
    assert rendered.count('"') == 2


@given(values)
@settings(deadline=None)
def test_values_of_any_shape_are_rendered_or_refused(value: Any) -> None:
    source = (
        "{{ x is mapping }}{{ x is string }}{{ x.a.b is defined }}{{ x.copy|default('-') }}"
        "{% for y in x %}{{ y }}{% endfor %}{{ x|length }}{{ x }}"
    )
    with contextlib.suppress(RenderFailed, MissingVariables):
        assert text_of(source, optional=("x",), x=value)


operators = st.sampled_from(["+", "-", "~", "==", "!=", "<", "and", "or", "in", "not in"])
atoms = st.sampled_from(
    ["1", "2.5", "'a'", "'b c'", "n", "s", "o.k", "xs", "true", "xs[0]", "o['k']"]
)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, operators, inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, operators, inner).map(lambda t: f"{t[0]} {t[1]} {t[2]}"),
        inner.map(lambda e: f"not {e}"),
        inner.map(lambda e: f"-({e})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
        st.tuples(inner, st.sampled_from(["upper", "length", "default(1)", "trim"])).map(
            lambda t: f"({t[0]})|{t[1]}"
        ),
        inner.map(lambda e: f"(rows|first).k ~ ({e})"),
        st.tuples(inner, st.sampled_from(["string", "defined", "not number", "odd"])).map(
            lambda t: f"(({t[0]}) is {t[1]})"
        ),
    )


expressions = st.recursive(atoms, _larger, max_leaves=8)


@given(expressions)
@example("1 - 2 - 3")
@example("1 - 2 + 3 ~ 4 ~ 5 == 6 and not 7 or 8")
@example("not 1 == 2 in xs")
@settings(max_examples=300, deadline=None)
def test_our_reading_of_an_expression_is_the_engines(expression: str) -> None:
    """What we write for the engine means what the engine would have made of the source itself."""
    source = f"{{% if {expression} %}}yes{{% else %}}no{{% endif %}}"
    if check_syntax(source):
        return
    given_: dict[str, Any] = {
        "n": 3,
        "s": "text",
        "o": {"k": "v"},
        "xs": ["a", 2],
        "rows": [{"k": "z"}],
    }
    engine = Environment(undefined_behavior="strict", pycompat=False)
    try:
        expected = engine.render_str(source, None, **given_)
    except Exception:  # noqa: BLE001  whatever it refuses, we have to refuse as well
        expected = "error"
    try:
        found = text_of(source, **given_)
    except RenderingError:
        found = "error"
    assert found == expected
