"""An email is prepared when it is published: its text part is made, its rules are inlined."""

from typing import Any

from template_service.templates.models import TemplateVersion
from template_service.tests.calls import TEMPLATES, Author, refused

HTML = "<style>p{color:red}</style><p>Hi {{ name }}</p>"
INLINED = '<style>p{color:red}</style><p style="color: red;">Hi {{ name }}</p>'


def sent(author: Author) -> dict[str, Any]:
    """What the gateway gets."""
    record = author.record()
    assert record is not None
    words: dict[str, Any] = record["languages"]["en"]
    return words


def test_what_is_sent_is_prepared_and_what_was_written_is_kept(author: Author) -> None:
    shown = author.create(content="", html_content=HTML)
    assert (shown["content"], shown["html_content"]) == ("", HTML)
    assert (sent(author)["content"], sent(author)["html_content"]) == ("Hi {{ name }}", INLINED)


def test_a_text_part_of_the_authors_own_is_kept(author: Author) -> None:
    author.create(content="Hello {{ name }}", html_content=HTML)
    assert sent(author)["content"] == "Hello {{ name }}"


def test_a_draft_is_previewed_as_it_would_be_sent(author: Author) -> None:
    author.create(status="draft", content="", html_content=HTML)
    shown = author.act("preview", data={"name": "<Ann>"})
    assert shown["content"] == "Hi <Ann>"
    assert shown["html_content"].endswith('<p style="color: red;">Hi &lt;Ann&gt;</p>')
    assert TemplateVersion.objects.get().prepared is None


def test_a_rollback_brings_back_what_was_sent(author: Author) -> None:
    author.create(content="", html_content=HTML)
    author.change(content="", html_content="<p>Two {{ name }}</p>")
    author.act("publish")
    assert sent(author)["content"] == "Two {{ name }}"
    author.act("rollback", version=1)
    assert (sent(author)["content"], sent(author)["html_content"]) == ("Hi {{ name }}", INLINED)


def test_problems_are_told_of_what_the_author_wrote(author: Author) -> None:
    author.create(status="draft", content="", html_content="<style>p{a:b}</style>\n<p>{{ nam }}")
    status, _, details = refused(author.call("POST", f"{TEMPLATES}welcome/publish/", {}))
    assert status == 400
    assert [text[:17] for text in details["html_content"]] == ["line 2, column 7:"]
    assert "content" not in details


def test_other_channels_are_sent_as_written(author: Author) -> None:
    author.create(type="sms", content="Hi {{ name }}", subject="", html_content="")
    assert TemplateVersion.objects.get().prepared is None
