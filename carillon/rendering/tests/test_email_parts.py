"""What is made of an email's HTML when a version is published: its text part, and inlined rules."""

import time
from typing import Any

import pytest

from carillon.rendering import check_syntax
from carillon.rendering.inlining import inline_css
from carillon.rendering.plain_text import text_from_html
from carillon.rendering.tests.versions import SOON, html_of, text_of


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "<h1>Hi {{ n }}!</h1><p>You  <b>won</b>\n it.</p><p>Bye</p>",
            "Hi A!\n\nYou won it.\n\nBye",
        ),
        ("<div>a</div><div>b</div>c<br>d", "a\nb\nc\nd"),
        ("<p>x <a href='{{ url }}'>here</a>.</p>", "x here (https://a.b/?c=1&d)."),
        ("<a href='https://a.b'>https://a.b</a> <a href='mailto:a@b'>us</a>", "https://a.b us"),
        ("<a href='https://a.b'><img src='x' alt='Shop'></a>", "Shop (https://a.b)"),
        ("<ul>{% for x in xs %}<li>{{ x }}</li>{% endfor %}</ul><p>b</p>", "- 1\n- 2\n\nb"),
        ("a<ul>\n{% for x in xs %}\n<li>{{ x }}</li>\n{% endfor %}</ul>", "a\n\n- 1\n- 2"),
        ("<p>{% for x in xs %}{{ x }} {% endfor %}</p>", "1 2"),
        ("A {% if n %}1{% else %}2{% endif %} B {% if z %}1{% else %}2{% endif %}", "A 1 B 2"),
        ("<p>A</p>{% if z %}<p>1</p>{% endif %}<p>B</p>", "A\n\nB"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<!DOCTYPE html><p>a</p><!--[if mso]>m<![endif]-->", "a"),
        ("<style>a{}</style><title>t</title><script>s</script><!-- c -->x{# y #}", "x"),
        ("a &amp; b &lt;c&gt; &#123;&#123; d }}", "a & b <c> { { d }}"),
        ("{{ url }} {% raw %}{{ x }}{% endraw %}", "https://a.b/?c=1&d {{ x }}"),
        ("<p>zqtag0z {{ n }}</p>", "zqtag0z A"),
        ("a <b", "a <b"),
    ],
)
def test_the_text_says_what_the_html_shows(source: str, expected: str) -> None:
    made = text_from_html(source)
    data: dict[str, Any] = {"n": "A", "url": "https://a.b/?c=1&d", "xs": [1, 2], "z": False}
    assert check_syntax(made) == ()
    assert text_of(made, **data).strip() == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>a</p>", "<p>a</p>"),
        ("<style>p{color:red}</style><p>a", '<style>p{color:red}</style><p style="color: red;">a'),
        (
            "<style>.a{color:red}</style><p class='a' style='width:9px'>x",
            "<style>.a{color:red}</style><p class='a' style='color: red;width: 9px'>x",
        ),
        (
            "<style>img{width:{{ w }}px}</style><img src=x />",
            '<style>img{width:{{ w }}px}</style><img src=x style="width: {{ w }}px;" />',
        ),
        (
            "<style>p{color:red}</style><p style='width:{{ w }}px'>",
            "<style>p{color:red}</style><p style='color: red; width:{{ w }}px'>",
        ),
        (
            "<style>b{color:red}</style>{% for x in y %}<b>{{ x }}{% endfor %}",
            '<style>b{color:red}</style>{% for x in y %}<b style="color: red;">{{ x }}{% endfor %}',
        ),
        (
            '<style>p{font-family:"A B"}</style><p>',
            '<style>p{font-family:"A B"}</style><p style="font-family: &#x27;A B&#x27;;">',
        ),
        (
            "<style>@media print{p{color:red}}</style><p>",
            "<style>@media print{p{color:red}}</style><p>",
        ),
        (
            "<style>p{color:{% if x %}red{% endif %}}</style><p>",
            "<style>p{color:{% if x %}red{% endif %}}</style><p>",
        ),
        (
            "<style>p{color:red}</style><!-- <p> --><p title=\"style='x'\">",
            '<style>p{color:red}</style><!-- <p> --><p title="style=\'x\'" style="color: red;">',
        ),
    ],
)
def test_rules_are_copied_and_all_else_stays(source: str, expected: str) -> None:
    assert inline_css(source) == expected


def test_no_file_is_read() -> None:
    source = "<link rel='stylesheet' href='/etc/hostname'><style>p{a:b}</style><p>x</p>"
    assert inline_css(source).replace(' style="a: b;"', "") == source


def test_inlined_html_renders() -> None:
    source = inline_css("<style>p{color:{{ c }}}</style><p>{{ n }}</p>")
    assert html_of(source, c='red"', n="<b>").endswith('<p style="color: red&quot;;">&lt;b&gt;</p>')


@pytest.mark.parametrize(
    "piece",
    [
        *("<a", "<!--", "</", "<a ", '<a "', '<a "<a" ', "&", "&#", "<a href='", "<![CDATA["),
        *("<p>", "<div>", "</p>", "<style>", "<script>", "<a b=c ", "<a>", "<b style=a ", "<br>"),
        *("<li>x<a href=y>z</a>", "<a style='' b>", "a{b:c}"),
    ],
)
def test_broken_markup_is_read_in_time(piece: str) -> None:
    source = ("<style>a{b:c}</style>" + piece * 262_144)[:262_144]
    started = time.thread_time()
    text_from_html(source)
    inline_css(source)
    assert time.thread_time() - started < SOON
