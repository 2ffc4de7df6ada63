"""Emails in MJML: compiled when they are published, kept as they were written."""

from pathlib import Path
from typing import Any

from django.core.management import call_command

from template_service.tests.calls import EMAIL, TEMPLATES, Author, refused

BODY = "<mj-section><mj-column>{}</mj-column></mj-section>"
PAGE = f"<mjml><mj-body>{BODY}</mj-body></mjml>"
MJML: dict[str, Any] = {
    "mjml": PAGE.format("<mj-text>Hi {{ name }}</mj-text>"),
    "html_content": "",
    "content": "",
}


def sent(author: Author) -> dict[str, Any]:
    """What the gateway gets."""
    record = author.record()
    assert record is not None
    words: dict[str, Any] = record["languages"]["en"]
    return words


def test_html_is_made_of_it_when_it_is_published(author: Author) -> None:
    made = author.create(**MJML)
    assert (made["mjml"], made["html_content"]) == (MJML["mjml"], "")
    assert ">Hi {{ name }}</div>" in sent(author)["html_content"]
    assert sent(author)["content"] == "Hi {{ name }}"
    shown = author.act("preview", data={"name": "<Ann>"})
    assert ">Hi &lt;Ann&gt;</div>" in shown["html_content"]


def test_a_draft_is_previewed_and_compared(author: Author) -> None:
    author.create(**MJML)
    author.change(mjml=PAGE.format("<mj-text>Hello {{ name }}</mj-text>"))
    assert ">Hello Ann<" in author.act("preview", version=2, data={"name": "Ann"})["html_content"]
    (change,) = author.get("welcome/diff/?from=1&to=2")["changes"]
    assert change["field"] == "mjml"


def test_it_stands_in_place_of_html(author: Author) -> None:
    author.create()
    assert author.change(mjml=MJML["mjml"])["html_content"] == ""
    assert author.change(html_content="<p>{{ name }}</p>")["mjml"] == ""
    body = {**EMAIL, "code": "both", "mjml": MJML["mjml"]}
    assert list(refused(author.call("POST", TEMPLATES, body))[2]) == ["mjml"]
    body = {**EMAIL, **MJML, "code": "sms", "type": "sms", "content": "x"}
    assert list(refused(author.call("POST", TEMPLATES, body))[2]) == ["mjml"]


def test_errors_have_lines_and_columns(author: Author) -> None:
    for wrong, place in (
        ("<mj-text>Hi</mj-text>\n <mj-txt>x</mj-txt>", "line 2, column 2: There is no element"),
        ("<mj-text>\n{{ nam }}</mj-text>", "line 2, column 4: nam is in neither"),
        ("<mj-text>\n<a href='javascript:x'>x</a></mj-text>", "line 2, column 10: This href"),
        ("<mj-text>\n{{ name|nope }}</mj-text>", "line 2, column 9: There is no filter"),
    ):
        body = {**EMAIL, **MJML, "mjml": PAGE.format(wrong)}
        status, _, details = refused(author.call("POST", TEMPLATES, body))
        assert status == 400
        assert [problem[: len(place)] for problem in details["mjml"]] == [place]


def test_layouts_and_partials_are_written_in_it_too(author: Author) -> None:
    block = "{% block body %}{% endblock %}{% include '_line' %}"
    part = {"subject": "", "content": "", "html_content": ""}
    author.create(code="_line", **part, mjml="<mj-divider />", variables=[])
    author.create(code="_page", **part, mjml=PAGE.format(block), variables=[])
    inner = "{% extends '_page' %}{% block body %}<mj-text>{{ name }}</mj-text>{% endblock %}"
    author.create(content="", html_content="", mjml=inner)
    html = sent(author)["html_content"]
    assert ">{{ name }}</div>" in html
    assert "border-top:solid 4px" in html


def test_a_wrong_element_in_a_part_is_told_with_the_part(author: Author) -> None:
    part = {"subject": "", "content": "", "html_content": ""}
    author.create(code="_line", **part, mjml="\n <mj-dvider />", variables=[])
    mjml = PAGE.format("<mj-text>{{ name }}</mj-text>\n{% include '_line' %}")
    status, _, details = refused(author.call("POST", TEMPLATES, {**EMAIL, **MJML, "mjml": mjml}))
    assert status == 400
    (problem,) = details["mjml"]
    assert problem.startswith("line 2, column 1: In _line, line 2, column 2: There is no element")


def test_the_source_goes_out_to_a_file_and_back(
    author: Author, stranger: Author, tmp_path: Path
) -> None:
    author.create(**MJML)
    call_command("templates", "export", str(tmp_path), "--organization", author.organization_id)
    assert (tmp_path / "welcome/en.mjml").read_text() == f"{MJML['mjml']}\n"
    assert not (tmp_path / "welcome/en.html").exists()
    call_command("templates", "import", str(tmp_path), "--organization", stranger.organization_id)
    assert stranger.get()["mjml"] == MJML["mjml"]
    assert sent(stranger) == sent(author)
