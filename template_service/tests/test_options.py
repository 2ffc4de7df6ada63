"""What a template decides beside its words: a fallback, how a push is delivered, WhatsApp's own."""

from pathlib import Path
from typing import Any

import pytest

from template_service.tests.calls import EMAIL, TEMPLATES, Author, done, refused
from template_service.tests.test_transfer import run

SMS: dict[str, Any] = {
    "code": "by_sms",
    "type": "sms",
    "subject": "",
    "html_content": "",
    "content": "Hi {{ name }}",
}
FALLBACK = {"channel": "sms", "template_code": "by_sms"}
PUSH: dict[str, Any] = {"type": "push", "html_content": "", "subject": "Hi {{ name }}"}
DELIVERY = {"collapse_key": "orders", "ttl": 600, "priority": "high"}
APPROVED: dict[str, Any] = {
    "name": "order_sent",
    "language": "en_US",
    "parameters": ["{{ name|upper }}", "{{ order.id }}"],
    "header": ["Hi {{ name }}"],
    "buttons": {"0": "orders/{{ order.id }}"},
}
WHATSAPP: dict[str, Any] = {
    "type": "whatsapp",
    "subject": "",
    "html_content": "",
    "content": "",
    "provider_template": APPROVED,
    "variables": ["name", "order"],
}
ORDER = {"name": "Ada", "order": {"id": "A-17"}}


def refusal(author: Author, **fields: Any) -> dict[str, Any]:
    status, code, details = refused(author.call("POST", TEMPLATES, {**EMAIL, **fields}))
    assert (status, code) == (400, "validation_error")
    return details


def warnings(answer: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in answer["lint"]["warnings"]]


# --- the fallback


def test_a_fallback_is_kept_shown_and_in_the_record(author: Author) -> None:
    author.create(**SMS)
    made = author.create(fallback=FALLBACK, expect_receipt_within=60)
    assert made["fallback"] == FALLBACK
    assert author.get()["fallback"] == FALLBACK
    record = author.record()
    assert record is not None
    assert record["fallback"] == FALLBACK


def test_it_is_changed_at_once_and_taken_away(author: Author) -> None:
    author.create(**SMS)
    author.create()
    changed = author.change(fallback=FALLBACK)
    assert (changed["version"], changed["fallback"]) == (1, FALLBACK)
    assert author.change(name="Other")["fallback"] == FALLBACK
    assert author.change(fallback=None)["fallback"] is None
    record = author.record()
    assert record is not None
    assert record["fallback"] is None


@pytest.mark.parametrize(
    ("fallback", "told"),
    [
        ({"channel": "sms", "template_code": "nobody"}, "There is no template nobody"),
        ({"channel": "whatsapp", "template_code": "by_sms"}, "is a template of type sms"),
        ({"channel": "sms", "template_code": "draft"}, "Nothing is published of draft"),
        ({"channel": "sms", "template_code": "_part"}, "There is no template _part"),
        ({"channel": "sms", "template_code": "more"}, "more (en) requires total: declare it"),
        ({"channel": "email", "template_code": "welcome"}, "another than the template's"),
        ({"channel": "pigeon", "template_code": "by_sms"}, "Expected a channel of"),
    ],
)
def test_what_could_not_be_sent_is_no_fallback(
    fallback: dict[str, str], told: str, author: Author
) -> None:
    author.create(**SMS)
    author.create(**{**SMS, "code": "draft", "status": "draft"})
    author.create(**{**SMS, "code": "_part"})
    both = {"variables": ["name", "total"], "content": "{{ name }} {{ total }}"}
    author.create(**{**SMS, **both, "code": "more"})
    assert told in refusal(author, fallback=fallback)["fallback"][0]
    # Nor does a published one get it: there it would hold at once.
    author.create()
    answer = author.call("PATCH", f"{TEMPLATES}welcome/", {"fallback": fallback})
    assert told in refused(answer)[2]["fallback"][0]
    assert author.get()["fallback"] is None


@pytest.mark.parametrize(
    "fallback",
    ["by_sms", {"channel": "sms"}, {**FALLBACK, "code": "x"}, {**FALLBACK, "channel": 1}],
)
def test_its_form_is_checked(fallback: Any, author: Author) -> None:
    answer = author.call("POST", TEMPLATES, {**EMAIL, "fallback": fallback})
    assert answer.status_code == 400


def test_a_draft_may_wait_for_its_fallback_and_is_told(author: Author) -> None:
    draft = author.create(status="draft", fallback=FALLBACK)
    (error,) = draft["lint"]["errors"]
    assert (error["code"], error["field"]) == ("fallback_unusable", "fallback")
    assert author.act("preview", data={"name": "Ada"})["content"] == "Hi Ada"
    answer = author.call("POST", f"{TEMPLATES}welcome/publish/", {})
    assert "There is no template by_sms" in refused(answer)[2]["fallback"][0]
    author.create(**SMS)
    assert author.act("publish")["status"] == "active"


def test_what_may_be_missing_and_what_is_not_followed_is_told(author: Author) -> None:
    author.create(**SMS)
    author.create(
        **{**PUSH, "code": "by_push", "fallback": FALLBACK, "variables": [], "subject": "Hi"},
        content="Hello {{ name }}",
        optional_variables=["name"],
    )
    made = author.get("by_push/")
    assert made["fallback"] == FALLBACK
    assert warnings(author.change("by_push", name="x")) == ["fallback_variables_optional"]
    made = author.create(fallback={"channel": "push", "template_code": "by_push"})
    assert "fallback_of_fallback" in warnings(made)


def test_every_language_of_it_counts(author: Author) -> None:
    author.create(**SMS)
    author.change(
        "by_sms", language="de", content="{{ name }} {{ total }}", variables=["name", "total"]
    )
    author.act("publish", "by_sms")
    assert "by_sms (de) requires total" in refusal(author, fallback=FALLBACK)["fallback"][0]


def test_who_falls_back_on_it_is_named_where_it_asks_for_more(
    author: Author, stranger: Author
) -> None:
    for each in (author, stranger):
        each.create(**SMS)
        each.create(fallback=FALLBACK)
    assert author.act("lint", "by_sms")["warnings"] == []
    stranger.create(code="other", fallback=FALLBACK)
    author.change("by_sms", content="{{ name }} {{ total }}", variables=["name", "total"])
    (warning,) = author.act("publish", "by_sms")["lint"]["warnings"]
    assert warning["code"] == "fallback_origin"
    assert warning["message"].startswith("welcome (en) falls back on this, and declares no total")
    author.call("DELETE", f"{TEMPLATES}welcome/")
    assert author.act("lint", "by_sms")["warnings"] == []


# --- push


def test_how_a_push_is_delivered_is_kept_shown_and_in_the_record(author: Author) -> None:
    made = author.create(**PUSH, push=DELIVERY)
    assert made["push"] == DELIVERY
    record = author.record()
    assert record is not None
    assert record["push"] == DELIVERY
    assert author.change(push={"ttl": 0})["push"] == {"ttl": 0}
    assert author.change(push=None)["push"] is None


@pytest.mark.parametrize(
    "push",
    [
        {"ttl": 2_419_201},
        {"ttl": -1},
        {"ttl": "600"},
        {"collapse_key": "x" * 65},
        {"priority": "urgent"},
        {"sound": "ding"},
    ],
)
def test_what_no_push_service_takes_is_refused(push: dict[str, Any], author: Author) -> None:
    answer = author.call("POST", TEMPLATES, {**EMAIL, **PUSH, "push": push})
    assert refused(answer)[:2] == (400, "validation_error")


def test_only_a_push_is_delivered_so(author: Author) -> None:
    assert "push" in refusal(author, push=DELIVERY)


# --- WhatsApp


def test_an_approved_template_is_part_of_a_version(author: Author) -> None:
    made = author.create(**WHATSAPP)
    assert made["provider_template"] == APPROVED
    record = author.record()
    assert record is not None
    assert record["languages"]["en"]["provider_template"] == APPROVED
    draft = author.change(provider_template={**APPROVED, "name": "order_sent_2"})
    assert (draft["version"], draft["status"]) == (2, "draft")
    assert author.get()["provider_template"]["name"] == "order_sent"
    (change,) = author.get("welcome/diff/?from=1&to=2")["changes"]
    assert change["field"] == "provider_template"
    assert '+  "name": "order_sent_2",' in change["unified"]
    author.act("publish")
    assert author.act("rollback", version=1)["provider_template"] == APPROVED


def test_a_preview_fills_it(author: Author) -> None:
    author.create(**{**WHATSAPP, "content": "Hi {{ name }}"})
    shown = author.act("preview", data={**ORDER, "name": "Ada  \n Lovelace"})
    assert shown["content"] == "Hi Ada  \n Lovelace"
    assert shown["provider_template"] == {
        "name": "order_sent",
        "language": "en_US",
        "parameters": ["ADA LOVELACE", "A-17"],
        "header": ["Hi Ada Lovelace"],
        "buttons": {"0": "orders/A-17"},
    }


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"name": "", "order": {"id": 1}}, "provider_template.header.0"),
        ({"name": " ", "order": {"id": "x"}}, "provider_template.parameters.0"),
        ({"name": "a", "order": {"id": " "}}, "provider_template.parameters.1"),
        ({"name": "a", "order": {"id": "x" * 1_025}}, "provider_template.parameters.1"),
    ],
)
def test_what_whatsapp_would_refuse_is_told(
    data: dict[str, Any], field: str, author: Author
) -> None:
    header = {"header": ["{{ name }}"]} if "header" in field else {"header": []}
    author.create(**{**WHATSAPP, "provider_template": {**APPROVED, **header}})
    answer = author.call("POST", f"{TEMPLATES}welcome/preview/", {"data": data})
    assert field in refused(answer)[2]


@pytest.mark.parametrize(
    ("template", "field", "told"),
    [
        ({"parameters": ["{{ nmae }}"]}, "provider_template.parameters.0", "nmae is in neither"),
        ({"buttons": {"1": "{{ name"}}, "provider_template.buttons.1", "line 1, column 1"),
        ({"parameters": [], "header": [], "buttons": {}}, "variables", "used nowhere"),
    ],
)
def test_its_values_are_checked_as_all_texts_are(
    template: dict[str, Any], field: str, told: str, author: Author
) -> None:
    wrong = {**WHATSAPP, "provider_template": {**APPROVED, **template}}
    assert told in refusal(author, **wrong)[field][0]


@pytest.mark.parametrize(
    "template",
    [
        {"name": "two words"},
        {"name": ""},
        {"language": "english please"},
        {"parameters": [""]},
        {"parameters": ["x"] * 51},
        {"header": ["a", "b"]},
        {"buttons": {"10": "x"}},
        {"components": []},
    ],
)
def test_its_form_is_that_of_a_request(template: dict[str, Any], author: Author) -> None:
    wrong = {**WHATSAPP, "provider_template": {**APPROVED, **template}}
    answer = author.call("POST", TEMPLATES, {**EMAIL, **wrong})
    assert refused(answer)[:2] == (400, "validation_error")


def test_only_whatsapp_has_one(author: Author) -> None:
    assert "provider_template" in refusal(author, provider_template=APPROVED)
    author.create()
    answer = author.call("PATCH", f"{TEMPLATES}welcome/", {"provider_template": APPROVED})
    assert "provider_template" in refused(answer)[2]


def test_without_one_a_text_is_needed(author: Author) -> None:
    assert "content" in refusal(author, **{**WHATSAPP, "provider_template": None})


# --- files


def test_all_of_it_goes_out_to_files_and_comes_back(
    author: Author, stranger: Author, tmp_path: Path
) -> None:
    author.create(**SMS)
    author.create(**PUSH, code="a_push", push=DELIVERY, fallback=FALLBACK)
    author.create(**{**WHATSAPP, "fallback": FALLBACK})
    run("export", tmp_path, author)
    assert 'fallback: {"channel": "sms"' in (tmp_path / "a_push/template.txt").read_text()
    assert 'provider_template: {"buttons"' in (tmp_path / "welcome/en.txt").read_text()
    # The fallback's template comes after those that name it.
    run("import", tmp_path, stranger)
    for code in ("a_push", "welcome"):
        keys = ("push", "fallback", "provider_template", "status")
        mine, theirs = author.get(f"{code}/"), stranger.get(f"{code}/")
        assert {key: mine[key] for key in keys} == {key: theirs[key] for key in keys}
    again = run("import", tmp_path, stranger)
    assert "0 templates changed" in again
    # As people write it.
    page = tmp_path / "a_push/template.txt"
    text = page.read_text().replace('"ttl": 600', '"ttl":600')
    page.write_text(text)
    assert "0 templates changed" in run("import", tmp_path, stranger)
    page.write_text(text.replace('"ttl":600', '"ttl":60'))
    assert "changed push" in run("import", tmp_path, stranger)
    assert stranger.get("a_push/")["push"]["ttl"] == 60


def test_a_file_without_them_takes_them_away(author: Author, tmp_path: Path) -> None:
    author.create(**SMS)
    author.create(**PUSH, code="a_push", push=DELIVERY, fallback=FALLBACK)
    run("export", tmp_path, author)
    page = tmp_path / "a_push/template.txt"
    kept = [line for line in page.read_text().split("\n") if not line.startswith(("push", "fall"))]
    page.write_text("\n".join(kept))
    run("import", tmp_path, author)
    assert (author.get("a_push/")["push"], author.get("a_push/")["fallback"]) == (None, None)


def test_replacing_goes_back_to_none(author: Author) -> None:
    author.create(**SMS)
    author.create(**PUSH, code="a_push", push=DELIVERY, fallback=FALLBACK)
    body = {"name": "x", "subject": "Hi", "content": "Hi {{ name }}", "variables": ["name"]}
    replaced = done(author.call("PUT", f"{TEMPLATES}a_push/", body))
    assert (replaced["push"], replaced["fallback"]) == (None, None)
