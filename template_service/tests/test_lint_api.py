"""What an author is told when a version is saved, checked and published."""

from typing import Any

import pytest

from template_service.tests.calls import EMAIL, TEMPLATES, Author, refused


def warned(answer: dict[str, Any], code: str) -> list[dict[str, Any]]:
    """The warnings of a kind."""
    lint = answer.get("lint", answer)
    return [warning for warning in lint["warnings"] if warning["code"] == code]


def test_saving_tells_what_keeps_a_draft_from_being_published(author: Author) -> None:
    draft = author.create(status="draft", content="Hi {{ nmae }}")
    (error,) = draft["lint"]["errors"]
    assert draft["lint"]["publishable"] is False
    assert (error["field"], error["line"], error["column"]) == ("content", 1, 7)


def test_publishing_returns_warnings(author: Author) -> None:
    made = author.create(category="news")
    assert warned(made, "missing_unsubscribe")
    author.change(content="Hi {{ name }} {{ unsubscribe_url }}")
    assert not warned(author.act("publish"), "missing_unsubscribe")


def test_links_that_are_built_in_have_samples_in_a_preview(author: Author) -> None:
    author.create(content="{{ name }} {{ unsubscribe_url }}")
    assert author.act("preview", data={"name": "A"})["content"] == (
        "A https://example.com/unsubscribe_url"
    )
    data = {"name": "A", "unsubscribe_url": "https://a.example/u"}
    assert author.act("preview", data=data)["content"] == "A https://a.example/u"


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"subject": "{{ name"}, "subject", "line 1, column 1: This tag has no end"),
        ({"content": "a\n{{ other }}"}, "content", "line 2, column 4: other is in neither"),
        ({"variables": ["name", "b"]}, "variables", "b is required, and used nowhere"),
        ({"subject": ""}, "subject", "An email needs a subject"),
        ({"content": "", "html_content": ""}, "content", "There is nothing to send"),
        (
            {"html_content": "<p>{{ name }}</p>\n<a href='javascript:x()'>x</a>"},
            "html_content",
            "line 2, column 10: This href would run a script",
        ),
        (
            {"type": "push", "content": "é" * 2_049, "html_content": ""},
            "content",
            "a push may have 4096",
        ),
    ],
)
def test_errors_keep_a_version_from_being_published(
    author: Author, fields: dict[str, Any], field: str, told: str
) -> None:
    status, code, details = refused(author.call("POST", TEMPLATES, {**EMAIL, **fields}))
    assert (status, code) == (400, "validation_error")
    assert told in details[field][0]


def test_an_sms_is_told_what_makes_it_unicode_and_how_long_it_is(author: Author) -> None:
    text = "Hello {{ name }},\nit\u2019s " + "x" * 80
    made = author.create(type="sms", subject="", html_content="", content=text)
    (unicode,) = warned(made, "unicode_sms")
    assert (unicode["line"], unicode["column"]) == (2, 3)
    assert "U+2019 right single quotation mark" in unicode["message"]
    (several,) = warned(made, "several_segments")
    assert "2 SMS" in several["message"]


def test_a_language_that_others_have_is_missing(author: Author) -> None:
    author.create(code="other")
    author.change("other", language="pt-BR", subject="Olá {{ name }}")
    author.act("publish", "other")
    author.create(code="_de", language="de", subject="", html_content="", content="{{ name }}")
    (warning,) = warned(author.create(), "missing_language")
    assert "published in pt-BR;" in warning["message"]
    # What falls back to pt is spoken to.
    assert not warned(author.change(language="pt", subject="Olá {{ name }}"), "missing_language")


def test_a_translation_that_lacks_a_field_is_warned_of(author: Author) -> None:
    author.create()
    draft = author.change(language="pt", html_content="")
    (warning,) = warned(draft, "missing_translation")
    assert (warning["field"], warning["message"]) == (
        "html_content",
        "Version 1 (en) has this; pt has not.",
    )
    mjml = "<mjml><mj-body></mj-body></mjml>"
    assert not warned(author.change(language="pt", mjml=mjml), "missing_translation")


def test_what_nothing_falls_back_to_is_warned_of(author: Author) -> None:
    author.create(status="draft")
    author.change(language="pt", subject="Olá {{ name }}")
    made = author.act("publish", version=2)
    (warning,) = warned(made, "missing_default_language")
    assert warning["message"].startswith("Nothing is published in en")
