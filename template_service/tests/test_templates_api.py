"""Templates are created, found, listed, changed and archived."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from template_service.tests.calls import EMAIL, TEMPLATES, Author, done, refused

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def test_a_template_has_the_fields_of_the_reference(author: Author) -> None:
    made = author.create(description="Says hello")
    assert made.items() >= {**EMAIL, "description": "Says hello"}.items()
    assert made["template_id"].startswith("tmpl_")
    assert (made["version"], made["delivery"], made["category"]) == (1, "at_least_once", "")
    assert made.pop("lint") == {
        "version": 1,
        "language": "en",
        "publishable": True,
        "errors": [],
        "warnings": [],
    }
    assert author.get() == made


def test_a_draft_is_not_sent(author: Author) -> None:
    author.create(status="draft")
    assert author.get()["status"] == "draft"
    assert author.record() is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"code": "no spaces"}, "code"),
        ({"code": "x" * 101}, "code"),
        ({"type": "pigeon"}, "type"),
        ({"language": "english"}, "language"),
        ({"status": "archived"}, "status"),
        ({"variables": ["name", "name"]}, "variables"),
        ({"variables": ["a b"]}, "variables"),
        ({"variables": "name"}, "variables"),
        ({"delivery": "exactly_once"}, "delivery"),
        ({"colour": "red"}, "colour"),
        ({"subject": ""}, "subject"),
        ({"content": "{{ name"}, "content"),
        ({"content": "{{ other }} {{ name }}"}, "content"),
        ({"variables": ["name", "unused"]}, "variables"),
        ({"content": "", "html_content": ""}, "content"),
        ({"subject": "two\nlines {{ name }}"}, "subject"),
        ({"content": "{{ name.__class__ }}"}, "content"),
        ({"html_content": "{{ name | safe }}"}, "html_content"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_field(
    author: Author, fields: dict[str, Any], field: str
) -> None:
    status, code, details = refused(author.call("POST", TEMPLATES, {**EMAIL, **fields}))
    assert (status, code) == (400, "validation_error")
    assert field in details


def test_a_syntax_error_has_a_line_and_a_column(author: Author) -> None:
    body = {**EMAIL, "status": "draft", "content": "Hi\n\n  {% if name %}"}
    _, _, details = refused(author.call("POST", TEMPLATES, body))
    assert "line 3, column 3" in details["content"][0]


def test_a_code_is_unique_within_its_organization(author: Author, stranger: Author) -> None:
    author.create()
    assert refused(author.call("POST", TEMPLATES, EMAIL))[:2] == (409, "template_exists")
    stranger.create()


def test_an_unknown_organization_is_told_apart(author: Author) -> None:
    nobody = Author(author.client, "org_" + "0" * 32, author.secret)
    assert refused(nobody.call("POST", TEMPLATES, EMAIL))[:2] == (404, "organization_not_found")


def test_changing_words_makes_a_draft_and_leaves_what_is_sent(author: Author) -> None:
    author.create()
    draft = author.change(subject="New, {{ name }}")
    assert (draft["version"], draft["status"]) == (2, "draft")
    assert draft["content"] == EMAIL["content"]
    assert author.get()["version"] == 1
    record = author.record()
    assert record is not None
    assert record["languages"]["en"]["subject"] == EMAIL["subject"]


def test_changing_facts_makes_no_draft(author: Author) -> None:
    author.create()
    changed = author.change(name="Hello", category="marketing")
    assert (changed["version"], changed["name"], changed["category"]) == (1, "Hello", "marketing")


def test_replacing_takes_defaults_for_what_is_left_out(author: Author) -> None:
    author.create(description="old")
    body = {"name": "Anew", "subject": "Hi", "content": "Hello"}
    replaced = done(author.call("PUT", f"{TEMPLATES}welcome/", body))
    assert (replaced["version"], replaced["description"]) == (2, "")
    assert (replaced["html_content"], replaced["variables"]) == ("", [])


def test_two_authors_do_not_overwrite_each_other(author: Author) -> None:
    author.create()
    path = f"{TEMPLATES}welcome/"
    etag = author.call("GET", path)["ETag"]
    done(author.call("PATCH", path, {"content": "A {{ name }}"}, if_match=etag))
    late = author.call("PATCH", path, {"content": "B {{ name }}"}, if_match=etag)
    assert refused(late)[:2] == (412, "precondition_failed")
    done(author.call("PATCH", path, {"content": "B {{ name }}"}, if_match="*"))


def test_an_archived_template_is_shown_and_not_sent(author: Author) -> None:
    author.create()
    assert done(author.call("DELETE", f"{TEMPLATES}welcome/"))["status"] == "archived"
    assert author.get()["status"] == "archived"
    assert author.record() is None
    assert refused(author.call("POST", TEMPLATES, EMAIL))[:2] == (409, "template_exists")
    author.act("publish", version=1)
    assert author.record() is not None


def test_lists_are_filtered_and_take_three_queries(
    author: Author, stranger: Author, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        author.create(code=f"t{number:02}", category="news" if number < 3 else "")
    author.create(code="text", type="sms", content="{{ name }}", status="draft")
    stranger.create(code="theirs")
    for _ in range(3):
        author.change("t00", content="Hello {{ name }}")
    with django_assert_num_queries(3):
        response = author.call("GET", f"{TEMPLATES}?limit=5&page=2")
    assert [one["code"] for one in response.json()["data"]] == ["t05", "t06", "t07", "t08", "t09"]  # type: ignore[attr-defined]
    assert response.json()["meta"]["total"] == 13  # type: ignore[attr-defined]

    def codes(query: str) -> list[str]:
        return [one["code"] for one in author.call("GET", f"{TEMPLATES}?{query}").json()["data"]]  # type: ignore[attr-defined]

    assert codes("type=sms") == codes("status=draft") == ["text"]
    assert codes("category=news") == ["t00", "t01", "t02"]
    assert codes("search=T1") == ["t10", "t11"]
    assert codes("status=archived") == []


@pytest.mark.parametrize("query", ["type=x", "status=x", "limit=0", "limit=1e9", "page=-1"])
def test_a_bad_filter_is_400(author: Author, query: str) -> None:
    assert refused(author.call("GET", f"{TEMPLATES}?{query}"))[0] == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "welcome/"),
        ("PUT", "welcome/"),
        ("PATCH", "welcome/"),
        ("DELETE", "welcome/"),
        ("POST", "welcome/publish/"),
        ("POST", "welcome/rollback/"),
        ("GET", "welcome/versions/"),
        ("GET", "welcome/diff/?from=1&to=1"),
        ("POST", "welcome/preview/"),
        ("POST", "welcome/lint/"),
    ],
)
def test_another_organizations_template_does_not_exist(
    author: Author, stranger: Author, method: str, path: str
) -> None:
    author.create()
    before = author.get()
    body = {"name": "x", "content": "y"} if method in {"PUT", "PATCH"} else {}
    response = stranger.call(method, f"{TEMPLATES}{path}", None if method == "GET" else body)
    assert refused(response)[:2] == (404, "template_not_found")
    assert author.get() == before
    assert stranger.record() is None


@pytest.mark.parametrize("code", ["%00", "a%00b", "x" * 101, "a%2Fb", "caf%C3%A9", "..."])
def test_what_is_no_code_is_not_found(author: Author, code: str) -> None:
    for method, path in (("GET", f"{TEMPLATES}{code}/"), ("DELETE", f"{TEMPLATES}{code}/")):
        assert author.call(method, path).status_code == 404
    assert author.record(code) is None


def test_without_the_secret_or_the_organization_nothing_is_told(author: Author) -> None:
    nobody = Author(author.client, author.organization_id, "wrong")
    assert refused(nobody.call("GET", TEMPLATES))[:2] == (401, "authentication_required")
    nowhere = Author(author.client, "", author.secret)
    assert refused(nowhere.call("GET", TEMPLATES))[:2] == (400, "missing_organization")


def test_tracking_and_receipts_are_off_until_somebody_says_so(author: Author) -> None:
    made = author.create()
    switched: dict[str, Any] = {
        "track_opens": True,
        "track_clicks": True,
        "expect_receipt_within": 120,
    }
    assert {name: made[name] for name in switched} == {
        "track_opens": False,
        "track_clicks": False,
        "expect_receipt_within": 0,
    }
    changed = author.change(**switched)
    assert changed.items() >= switched.items()
    assert changed["version"] == made["version"]
    record = author.record()
    assert record is not None
    assert record.items() >= switched.items()


@pytest.mark.parametrize("seconds", [-1, 86_401, "60", 1.5])
def test_a_receipt_is_waited_for_within_a_day(author: Author, seconds: object) -> None:
    body = {**EMAIL, "expect_receipt_within": seconds}
    assert refused(author.call("POST", TEMPLATES, body))[:2] == (400, "validation_error")
