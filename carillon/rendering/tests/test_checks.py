"""What keeps a version from being published."""

import pytest

from carillon.contracts.records import PublishedVersion
from carillon.rendering import Problem, check_version, render_content
from carillon.rendering.tests.versions import version


def codes(made: PublishedVersion, channel: str = "email") -> list[tuple[str, str]]:
    """Field and code of each problem."""
    return [(problem.field, problem.code) for problem in check_version(made, channel)]


def test_a_good_version_has_no_problems() -> None:
    made = version(
        "Hi {{ name }}",
        subject="{{ title|default('Hello') }}",
        html="<p>{{ name }}</p>",
        required=("name",),
        optional=("title", "unused"),
    )
    assert check_version(made, "email") == ()


def test_undeclared_variables_are_found_where_they_are() -> None:
    made = version("ok\n {{ a }}{{ a }}", subject="{{ b.c }}", html="<p>{{ a }}</p>")

    assert check_version(made, "email") == (
        Problem(
            code="undeclared_variable",
            message="b is in neither variables nor optional_variables.",
            field="subject",
            line=1,
            column=4,
        ),
        Problem(
            code="undeclared_variable",
            message="a is in neither variables nor optional_variables.",
            field="content",
            line=2,
            column=5,
        ),
        Problem(
            code="undeclared_variable",
            message="a is in neither variables nor optional_variables.",
            field="html_content",
            line=1,
            column=7,
        ),
    )


def test_a_required_variable_is_used_somewhere() -> None:
    made = version("{{ a }}", subject="{{ b }}", required=("a", "b", "c"))
    assert codes(made) == [("variables", "unused_variable")]
    # The subject of a text message is not sent.
    assert codes(made, "sms") == [("variables", "unused_variable")] * 2


def test_nothing_is_said_of_unused_variables_where_a_field_cannot_be_read() -> None:
    assert codes(version("{{ a", subject="s", required=("a",))) == [("content", "syntax_error")]


@pytest.mark.parametrize(
    ("channel", "title", "body", "html", "field"),
    [
        ("email", "", "x", "", "subject"),
        ("email", "s", "", "", "content"),
        ("sms", "s", " ", "", "content"),
        ("whatsapp", "", "", "", "content"),
        ("push", "s", "", "", "content"),
    ],
)
def test_a_channel_needs_its_fields(
    channel: str, title: str, body: str, html: str, field: str
) -> None:
    made = version(body, subject=title, html=html)
    assert codes(made, channel) == [(field, "missing_content")]


@pytest.mark.parametrize("subject", ["a\nb", "a\r\nBcc: x", "=?utf-8?q?a=0Ab?="])
def test_a_subject_as_written_is_one_line(subject: str) -> None:
    assert codes(version("x", subject=subject)) == [("subject", "invalid_subject")]


def test_expressions_too_deep_for_the_engine_are_found_here_and_not_when_sending() -> None:
    expression = "1"
    for _ in range(60):
        expression = f"{expression} // 1 % 7"
    made = version(f"x\n{{{{ {expression} }}}}")
    assert [(p.code, p.field, p.line) for p in check_version(made, "sms")] == [
        ("too_complex", "content", 2)
    ]


def test_the_fields_of_other_channels_are_not_looked_at() -> None:
    assert check_version(version("ok", subject="{{ a", html="{{ b"), "sms") == ()


@pytest.mark.parametrize(
    ("channel", "made", "field"),
    [
        ("push", version("é" * 2_040, subject="s" * 20), "content"),
        ("push", version("x", subject="s" * 1_025), "subject"),
        ("sms", version("a" * 1_601), "content"),
        ("whatsapp", version("a" * 4_097), "content"),
        ("email", version("x", subject="s" * 999), "subject"),
    ],
)
def test_what_is_too_long_whatever_its_variables_is_refused(
    channel: str, made: PublishedVersion, field: str
) -> None:
    assert codes(made, channel) == [(field, "content_too_large")]


def test_text_in_branches_may_be_longer_than_what_is_sent() -> None:
    half = "a" * 1_000
    made = version(f"{{% if a %}}{half}{{% else %}}{half}{{% endif %}}", optional=("a",))
    assert codes(made, "sms") == []


def test_what_is_built_in_needs_no_declaration() -> None:
    made = version("x{{ unsubscribe_url }}{{ preferences_url }}", subject="s")
    assert codes(made) == []
    assert render_content(made, "email", {}).body == "x"
