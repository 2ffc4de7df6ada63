"""Warnings: what can be published, and is worth a second look."""

import pytest

from carillon.contracts.messages import EmailContent, PushContent, TextContent
from carillon.contracts.records import PublishedVersion
from carillon.rendering import lint_content, lint_version
from carillon.rendering.tests.versions import version


def codes(made: PublishedVersion, channel: str, category: str = "") -> list[str]:
    """The code of each warning."""
    return [problem.code for problem in lint_version(made, channel, category=category)]


@pytest.mark.parametrize(
    ("made", "channel", "category"),
    [
        (version("Hi", subject="s", html="<p>Hi</p>"), "email", ""),
        (version("Hi", subject="s"), "email", "otp"),
        (version("Hi", subject="s", html="<a href='/u'>Unsubscribe</a>"), "email", "news"),
        (version("Bye: {{ unsubscribe_url }}", subject="s"), "email", "news"),
        (version("Bye: {{ preferences_url }}", subject="s"), "email", "news"),
        (version("Your code is {{ code }}. {a} [b]", required=("code",)), "sms", "otp"),
        (version("“Hi”" * 100), "whatsapp", ""),
        (version("Hi", subject="s"), "push", ""),
    ],
)
def test_good_versions_have_no_warnings(
    made: PublishedVersion, channel: str, category: str
) -> None:
    assert lint_version(made, channel, category=category) == ()


@pytest.mark.parametrize(
    ("made", "channel", "category", "code"),
    [
        (version("x", subject="s", optional=("a",)), "email", "", "unused_optional_variable"),
        (version(subject="s", html="<p>x</p>"), "email", "", "missing_text_part"),
        (version("x", subject="s", html="x" * 110_000), "email", "", "clipped"),
        (version("x", subject="s"), "email", "marketing", "missing_unsubscribe"),
        (version("It\u2019s here"), "sms", "", "unicode_sms"),
        (version("a" * 161), "sms", "", "several_segments"),
        (version("x", subject="s"), "sms", "", "ignored_field"),
        (version("é" * 1_600, subject="s"), "push", "", "long_push"),
    ],
)
def test_each_warning(made: PublishedVersion, channel: str, category: str, code: str) -> None:
    assert codes(made, channel, category) == [code]


def test_the_character_that_makes_an_sms_unicode_is_named_where_it_is() -> None:
    made = version("Hello {{ name }},\nit\u2019s {% if a %}time{% endif %}", optional=("name", "a"))

    (problem,) = lint_version(made, "sms")

    assert (problem.field, problem.line, problem.column) == ("content", 2, 3)
    assert "\u2019 (U+2019 right single quotation mark)" in problem.message


def test_an_invisible_character_is_named_without_being_shown() -> None:
    (problem,) = lint_version(version("a\u200bb"), "sms")
    assert problem.message.startswith("(U+200B zero width space)")


def test_errors_are_left_to_the_check() -> None:
    assert lint_version(version("{{ a", optional=("b",)), "sms") == ()


def test_rendered_content_is_looked_at_as_it_is() -> None:
    assert [p.code for p in lint_content(TextContent("\u2019" * 71))] == [
        "several_segments",
        "unicode_sms",
    ]
    assert lint_content(TextContent("ok")) == ()
    assert lint_content(PushContent(title="x")) == ()
    assert [p.code for p in lint_content(EmailContent("s", html="x" * 110_000))] == ["clipped"]
