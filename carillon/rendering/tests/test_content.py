"""Rendering into the content of each channel, and the channels' bounds."""

import pytest

from carillon.contracts.messages import EmailContent, PushContent, TextContent
from carillon.rendering import (
    EmptyContent,
    InvalidSubject,
    OutputTooLarge,
    limits,
    render_content,
)
from carillon.rendering.tests.versions import push_of, subject_of, text_of, version

SCRIPT = "<script>alert(1)</script>"


def test_an_email_has_a_subject_and_both_bodies() -> None:
    made = version(
        "Hi {{ name }},\n\nThanks!",
        subject="Welcome, {{ name }}!",
        html="<p>Hi {{ name }}</p>",
        required=("name",),
    )

    content = render_content(made, "email", {"name": "Ada & co"})

    assert content == EmailContent(
        "Welcome, Ada & co!", "Hi Ada & co,\n\nThanks!", "<p>Hi Ada &amp; co</p>"
    )


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
def test_a_text_channel_has_a_body_alone(channel: str) -> None:
    made = version("Code {{ code }}", subject="{{ not_rendered }}", required=("code",))

    assert render_content(made, channel, {"code": 123456}) == TextContent("Code 123456")


def test_a_push_has_a_title_and_a_body() -> None:
    assert push_of("Order {{ n }}", "{{ n }} is on its way", n=7) == PushContent(
        title="Order 7", body="7 is on its way"
    )


def test_a_script_in_a_variable_is_escaped_in_html_alone() -> None:
    made = version("{{ x }}", subject="{{ x }}", html="{{ x }}", required=("x",))

    content = render_content(made, "email", {"x": SCRIPT})

    assert content == EmailContent(SCRIPT, SCRIPT, "&lt;script&gt;alert(1)&lt;/script&gt;")
    assert text_of("{{ x }}", x=SCRIPT) == SCRIPT
    assert push_of("{{ x }}", "{{ x }}", x=SCRIPT) == PushContent(title=SCRIPT, body=SCRIPT)


@pytest.mark.parametrize(
    "value",
    [
        "a\r\nBcc: victim@example.com",
        "a\nb",
        "a\rb",
        "a\x0bb",
        "a\x0cb",
        "a\x1cb",
        "a\x85b",
        "a\u2028b",
        "a\u2029b",
        "a\x00b",
        "a\x1bb",
        "=?utf-8?q?a=0D=0ABcc:_victim=40example.com?=",
        "=?utf-8?b?YQ0KQmNjOiB4?=",
        "Hi =?iso-8859-1?Q?a=0Ab?= there",
    ],
)
def test_a_subject_is_one_line(value: str) -> None:
    with pytest.raises(InvalidSubject):
        subject_of("Hello {{ x }}", x=value)


@pytest.mark.parametrize(
    "value",
    ["plain", "é ü 你好 😀", "=?utf-8?q?caf=C3=A9?=", "=? 50% off ?=", "a =?x?q?=?= b", "a\u00a0b"],
)
def test_honest_subjects_pass(value: str) -> None:
    assert subject_of("{{ x }}", x=value) == value


def test_a_push_title_is_one_line_and_its_body_may_have_more() -> None:
    with pytest.raises(InvalidSubject):
        push_of("{{ x }}", "body", x="a\nb")
    assert push_of("title", "{{ x }}", x="a\nb").body == "a\nb"


@pytest.mark.parametrize("channel", sorted(limits.OUTPUT))
def test_each_channel_bounds_what_is_rendered(channel: str) -> None:
    most = limits.OUTPUT[channel].content
    made = version("{{ x }}", subject="s", required=("x",))
    fits = "a" * (most if channel != "push" else limits.PUSH_BYTES_MOST - 1)

    assert render_content(made, channel, {"x": fits[: limits.VARIABLES_MOST - 8]})
    if most < limits.VARIABLES_MOST:
        with pytest.raises(OutputTooLarge) as caught:
            render_content(made, channel, {"x": "a" * (most + 1)})
        assert caught.value.field == "content"


def test_a_subject_is_bounded() -> None:
    assert len(subject_of("{{ x }}", x="a" * limits.SUBJECT_MOST)) == limits.SUBJECT_MOST
    with pytest.raises(OutputTooLarge) as caught:
        subject_of("{{ x }}", x="a" * (limits.SUBJECT_MOST + 1))
    assert caught.value.field == "subject"


def test_a_push_is_bounded_in_bytes() -> None:
    with pytest.raises(OutputTooLarge, match="4096 bytes"):
        push_of("title", "{{ x }}", x="é" * 2_048)


def test_escaping_counts_towards_the_length_of_html() -> None:
    made = version(subject="s", html="{{ x }}{{ x }}", required=("x",))

    with pytest.raises(OutputTooLarge) as caught:
        render_content(made, "email", {"x": "<" * 100_000})

    assert caught.value.field == "html_content"


@pytest.mark.parametrize(
    ("channel", "title", "body", "html"),
    [("email", "s", " \n", ""), ("sms", "", "{{ x }}", ""), ("push", " ", " ", "")],
)
def test_nothing_is_not_sent(channel: str, title: str, body: str, html: str) -> None:
    made = version(body, subject=title, html=html, optional=("x",))
    with pytest.raises(EmptyContent):
        render_content(made, channel, {})


@pytest.mark.parametrize(
    ("channel", "title", "body", "html"),
    [("email", "s", "", "<p>x</p>"), ("email", "s", "x", ""), ("push", "x", "", "")],
)
def test_one_part_is_enough(channel: str, title: str, body: str, html: str) -> None:
    assert render_content(version(body, subject=title, html=html), channel, {})
