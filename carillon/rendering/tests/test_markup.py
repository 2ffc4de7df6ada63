"""Values in HTML: where they are safe, where they are made safe, and where they are refused."""

import time

import pytest

from carillon.rendering import BrokenTemplate, check_version
from carillon.rendering.tests.versions import SOON, html_of, version

EVIL = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " \n javascript:alert(1)",
    "java\tscript:alert(1)",
    "java\r\nscript\x00:alert(1)",
    "\x01javascript:alert(1)",
    "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:image/svg+xml,<svg onload=alert(1)>",
]
HONEST = [
    "https://example.com/a?b=c&d=e#f",
    "http://example.com:8080/javascript:x",
    "mailto:a@example.com",
    "tel:+15551234567",
    "myapp://open/1",
    "/path?next=javascript:1",
    "#anchor",
    "javascript",
    "data:image/png;base64,AAAA",
]


@pytest.mark.parametrize("url", EVIL)
@pytest.mark.parametrize(
    "markup",
    [
        '<a href="{{ x }}">a</a>',
        "<a class='b' href = '{{ x }}'>a</a>",
        '<A HREF="  {{ x }}">a</A>',
        '<img alt="" src="{{ x }}"/>',
        '<a href="{% if true %}{{ x }}{% else %}/{% endif %}">a</a>',
        '{% for y in [x] %}<a href="{{ y }}">a</a>{% endfor %}',
        '<p>{{ x }}</p><!-- <a href=" --><a href="{{ x|trim(\'q\') }}">a</a>',
        '<title>"</title><style>a{}</style><a href="{{ x }}">a</a>',
    ],
)
def test_a_link_that_runs_a_script_is_removed(markup: str, url: str) -> None:
    rendered = html_of(markup, x=url)
    assert '="#"' in rendered.replace("'", '"').replace(" ", "")


@pytest.mark.parametrize("url", HONEST)
def test_honest_links_are_left_alone(url: str) -> None:
    expected = url.replace("&", "&amp;")
    assert html_of('<a href="{{ x }}">a</a>', x=url) == f'<a href="{expected}">a</a>'


@pytest.mark.parametrize(
    ("first", "second", "rendered"),
    [
        ("java", "script:alert(1)", "java#"),
        ("", "javascript:alert(1)", "#"),
        ("javascript", ":alert(1)", "javascript#"),
        ("https", "://example.com", "https#"),
        ("https://example.com", "/a:b", "https://example.com/a:b"),
    ],
)
def test_a_scheme_cannot_be_put_together(first: str, second: str, rendered: str) -> None:
    markup = '<a href="{{ a }}{{ b }}">x</a>'
    assert html_of(markup, a=first, b=second) == f'<a href="{rendered}">x</a>'


def test_a_value_behind_a_known_scheme_is_left_alone() -> None:
    markup = '<a href="https://example.com/{{ x }}?to={{ y }}">x</a><a href="?q={{ y }}">x</a>'
    assert html_of(markup, x="a:b", y="javascript:1").count("javascript:1") == 2


def test_other_attributes_and_texts_are_left_alone() -> None:
    markup = '<p title="{{ x }}" style="color: {{ c }}">{{ x }}</p>'
    rendered = html_of(markup, x="javascript:1", c="red")
    assert rendered == '<p title="javascript:1" style="color: red">javascript:1</p>'


@pytest.mark.parametrize(
    ("markup", "code"),
    [
        ("<a href={{ x }}>a</a>", "unquoted_attribute"),
        ("<a href=/a/{{ x }}>a</a>", "unquoted_attribute"),
        ("<p class= {{ x }}>", "unquoted_attribute"),
        ("<{{ x }}>", "value_in_tag"),
        ("<p {{ x }}>", "value_in_tag"),
        ('<p data-{{ x }}="1">', "value_in_tag"),
        ('<p onclick="f({{ x }})">', "value_in_script"),
        ("<iframe srcdoc='{{ x }}'></iframe>", "value_in_script"),
        ("<script>var a = '{{ x }}'</script>", "value_in_script"),
        ("<SCRIPT>\n{% if x %}{{ x }}{% endif %}</SCRIPT>", "value_in_script"),
        ('<a href="javascript:alert(1)">a</a>', "script_link"),
        ("<a href='&#106;avascript&colon;alert(1)'>a</a>", "script_link"),
        ("<a href=javascript:alert(1)>a</a>", "script_link"),
        ('<a href="java\tscript:{{ x }}">a</a>', "script_link"),
    ],
)
def test_what_cannot_be_made_safe_is_refused(markup: str, code: str) -> None:
    made = version("x", subject="s", html=f"<p>\n{markup}", optional=("x",))

    (problem,) = check_version(made, "email")

    assert (problem.code, problem.field) == (code, "html_content")
    assert problem.line >= 2
    with pytest.raises(BrokenTemplate):
        html_of(markup, x="y")


def test_texts_that_only_look_like_tags_are_texts() -> None:
    assert html_of("1 < {{ x }} <- a <3 {{ x }}", x="2") == "1 < 2 <- a <3 2"


@pytest.mark.parametrize(
    "markup",
    [
        "<" * 200_000,
        "<a " * 60_000,
        "<a b=" * 50_000,
        "<a b='" + " " * 250_000,
        "<a " + "x" * 250_000,
        "<a " + " " * 250_000,
        "<a b" + " " * 250_000,
        "<style></style>" * 15_000,
        "<script>" * 30_000,
        "<!--" * 60_000,
        "<a href='" + "&#106;" * 40_000 + "'>",
    ],
)
def test_markup_of_any_shape_is_read_in_time(markup: str) -> None:
    made = version("x", subject="s", html=markup)
    started = time.thread_time()
    check_version(made, "email")
    assert time.thread_time() - started < SOON
