"""MJML becomes HTML, the template's tags survive it, and what is wrong is told where it is."""

import contextlib
import time

import pytest

from carillon.contracts.messages import EmailContent
from carillon.rendering import check_version, render_content
from carillon.rendering.mjml import BrokenMJML, compile_mjml
from carillon.rendering.plain_text import text_from_html
from carillon.rendering.tests.versions import SOON, version


def page(body: str, head: str = "") -> str:
    """A document with `body` in a column."""
    return (
        f"<mjml><mj-head>{head}</mj-head><mj-body><mj-section><mj-column>\n{body}\n"
        "</mj-column></mj-section></mj-body></mjml>"
    )


def rendered(source: str, **variables: object) -> str:
    """The HTML that is sent."""
    made = version("text", subject="s", html=compile_mjml(source))
    assert (
        check_version(
            version("text", subject="s", html=made.html_content, required=tuple(variables)), "email"
        )
        == ()
    )
    content = render_content(made, "email", variables)
    assert isinstance(content, EmailContent)
    return content.html


def test_tags_survive_in_texts_attributes_and_between_elements() -> None:
    source = page(
        """{% for item in items %}
        {# a comment #}
        <mj-text color="{{ item.color|d('black') }}">Hi <b>{{ item.name }}</b> &amp; co</mj-text>
        {% endfor %}
        <mj-button href="{{ url }}">{% if items|length > 1 %}All{% else %}1{% endif %}</mj-button>
        """,
        head="<mj-title>{{ name }}</mj-title><mj-preview>{{ name }}…</mj-preview>",
    )
    html = rendered(
        source,
        items=[{"name": "<A>", "color": "red"}, {"name": "B", "color": "blue"}],
        url="https://a.example/?b=1",
        name="Zoë",
    )
    assert html.count('<td align="left"') == 2
    assert "Hi <b>&lt;A&gt;</b> &amp; co" in html
    assert "color:red;" in html
    assert "color:blue;" in html
    assert 'href="https://a.example/?b=1"' in html
    assert ">All<" in html
    assert "<title>Zoë</title>" in html
    assert "mj-" not in html.replace("mj-outlook-group-fix", "").replace("mj-column-per", "")


@pytest.mark.parametrize(
    ("before", "inner", "after"),
    [
        ("<mjml><mj-body>", "<mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section>",
         "</mj-body></mjml>"),
        ("<mjml><mj-body><mj-wrapper>",
         "<mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section>",
         "</mj-wrapper></mj-body></mjml>"),
        ("<mjml><mj-body><mj-section>", "<mj-column><mj-text>x</mj-text></mj-column>",
         "</mj-section></mj-body></mjml>"),
        ("<mjml><mj-body><mj-section><mj-column>", "<mj-text>x</mj-text>",
         "</mj-column></mj-section></mj-body></mjml>"),
        ("<mjml><mj-body><mj-section><mj-column><mj-table>", "<tr><td>x</td></tr>",
         "</mj-table></mj-column></mj-section></mj-body></mjml>"),
        ("<mjml><mj-body><mj-section><mj-column><mj-navbar>",
         "<mj-navbar-link href='#'>x</mj-navbar-link>",
         "</mj-navbar></mj-column></mj-section></mj-body></mjml>"),
        ("<mjml><mj-body><mj-section><mj-column><mj-social>",
         "<mj-social-element name='web' href='#'>x</mj-social-element>",
         "</mj-social></mj-column></mj-section></mj-body></mjml>"),
    ],
)  # fmt: skip
def test_a_loop_around_any_element_repeats_it_whole(before: str, inner: str, after: str) -> None:
    source = f"{before}{{% for i in range(n) %}}{inner}{{% endfor %}}{after}"
    for count in (0, 1, 3):
        html = rendered(source, n=count)
        assert html.count(">x<") == count
        for tag in ("table", "tr", "td", "div"):
            assert html.count(f"<{tag} ") + html.count(f"<{tag}>") == html.count(f"</{tag}>")
        assert html.count("<!--[if mso") == html.count("<![endif]-->") - html.count(
            "<!--[if !mso"
        ) - html.count("<!--[if lte")


def test_rules_are_inlined_where_the_author_asks_for_it() -> None:
    rule = ".a { letter-spacing: 3px }"
    body = '<mj-text><p class="a">{{ x }}</p></mj-text>'
    inlined = compile_mjml(page(body, f'<mj-style inline="inline">{rule}</mj-style>'))
    assert 'class="a" style="' in inlined
    assert "letter-spacing: 3px" in inlined.split('class="a" style="')[1].split('"')[0]
    kept = compile_mjml(page(body, f"<mj-style>{rule}</mj-style>"))
    assert '<p class="a">' in kept
    assert rule in kept


def test_the_text_part_of_mjml_reads_well() -> None:
    html = compile_mjml(
        page(
            "<mj-text><h1>Hello</h1>Hi {{ name }}</mj-text>"
            '<mj-button href="{{ url }}">Go</mj-button>',
            "<mj-title>T</mj-title>",
        )
    )
    assert text_from_html(html) == "Hello\n\nHi {{ name }}\n\nGo ({{ url }})"


@pytest.mark.parametrize(
    ("source", "place", "told"),
    [
        (page("<mj-txt>x</mj-txt>"), (2, 1), "did you mean mj-text?"),
        (page("<foo>x</foo>"), (2, 1), "There is no element foo"),
        (page("<mj-column></mj-column>"), (2, 1), "stands in <mj-section> or <mj-group>"),
        (page("hello {{ name }}"), (2, 1), "Put this into <mj-text>"),
        (page("{{ name }}"), (2, 1), "Put this into <mj-text>"),
        (page("<mj-text>{{ a }}\n<b>x</mj-text>"), (3, 5), "<b> is open"),
        (page("<mj-text>x"), (3, 1), "<mj-text> is open"),
        (page("<mj-text>a < b</mj-text>"), (2, 12), "Write &lt;"),
        (page("<mj-text color=red>x</mj-text>"), (2, 1), 'name="value"'),
        (page("<mj-text><a href=x>x</a></mj-text>"), (2, 10), "in quotes"),
        (page("<mj-text {% if a %}color='red'{% endif %}>x</mj-text>"), (2, 1), 'name="value"'),
        (page("<MJ-Text>x</MJ-Text>"), (2, 1), "small letters"),
        (page('<mj-include path="/etc/passwd" />'), (2, 1), "Nothing is read from files"),
        (page("<mj-text>x</mj-text><mj-text"), (2, 21), "end the tag that begins here"),
        ("<p>hi</p>", (1, 1), "There is no element p"),
        ("<mjml><mj-body>", (1, 7), "<mj-body> has no end"),
        ("", (0, 0), "no MJML"),
        (page("x", "{% if a %}<mj-title>x</mj-title>{% endif %}").replace("\nx\n", ""), (1, 16),
         "no place"),
        (page("<mj-text>" + "<b>" * 20_000 + "</b>" * 20_000 + "</mj-text>"), (2, 175),
         "too deeply"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)  # fmt: skip
def test_what_cannot_be_compiled_is_told_with_its_place(
    source: str, place: tuple[int, int], told: str
) -> None:
    with pytest.raises(BrokenMJML) as caught:
        compile_mjml(source)
    problem = caught.value.problems[0]
    assert told in problem.message
    assert (problem.line, problem.column, problem.field) == (*place, "mjml")


def test_all_wrong_elements_are_told_at_once() -> None:
    with pytest.raises(BrokenMJML) as caught:
        compile_mjml(page("<mj-txt>x</mj-txt>\n<mj-text><mj-column></mj-column></mj-text>\nx"))
    assert [problem.line for problem in caught.value.problems] == [2, 3, 4]


@pytest.mark.parametrize(
    "source",
    [
        "<mj-section>" * 20_000,
        "<mj-text a='" * 20_000,
        '<mj-text a="b" ' * 17_000,
        "<" * 262_000,
        "<!--" * 60_000,
        "<!x" * 80_000,
        "{% if a %}" * 1_900,
        page("<mj-text>x</mj-text>" * 10_000),
        page("{% if a %}{% endif %}" * 990),
        page("<mj-text>&" + "&amp;" * 50_000 + "</mj-text>"),
    ],
    ids=lambda source: source[:12],
)
def test_hostile_sources_end_soon(source: str) -> None:
    started = time.thread_time()
    with contextlib.suppress(BrokenMJML):
        compile_mjml(source)
    assert time.thread_time() - started < SOON


def test_nothing_is_loaded_from_anywhere() -> None:
    link = '<mj-raw><link rel="stylesheet" href="file:///etc/passwd" /></mj-raw>'
    style = '<mj-style inline="inline">.a { color: red }</mj-style>'
    assert "root:" not in compile_mjml(page("<mj-text>x</mj-text>", link + style))
