"""Versions: languages, publishing, rolling back, comparing, previewing, linting, and the cache."""

import threading
from typing import Any

import pytest
from django.db import connection

from template_service.templates import cache
from template_service.templates.selectors import find_template, template_record
from template_service.tests.calls import EMAIL, TEMPLATES, Author, refused

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def subject_sent(author: Author, language: str = "en") -> str:
    record = author.record()
    assert record is not None
    return str(record["languages"][language]["subject"])


def test_publishing_replaces_what_is_sent_and_keeps_the_old_version(author: Author) -> None:
    author.create()
    author.change(subject="Two {{ name }}")
    assert author.act("publish")["version"] == 2
    assert subject_sent(author) == "Two {{ name }}"
    old = author.get("welcome/?version=1")
    assert (old["status"], old["subject"]) == ("archived", "Welcome, {{ name }}!")
    assert [v["status"] for v in author.get("welcome/versions/")] == ["active", "archived"]  # type: ignore[index]


def test_rolling_back_brings_the_old_words(author: Author) -> None:
    author.create()
    author.change(subject="Two {{ name }}")
    author.act("publish")
    assert author.act("rollback")["version"] == 1
    assert subject_sent(author) == "Welcome, {{ name }}!"
    assert author.act("rollback", version=2)["version"] == 2


def test_what_was_never_published_is_no_place_to_roll_back_to(author: Author) -> None:
    author.create()
    path = f"{TEMPLATES}welcome/rollback/"
    assert refused(author.call("POST", path, {}))[:2] == (409, "nothing_to_roll_back_to")
    author.change(content="x {{ name }}")
    body = {"version": 2}
    assert refused(author.call("POST", path, body))[:2] == (409, "nothing_to_roll_back_to")
    assert refused(author.call("POST", path, {"version": 9}))[:2] == (404, "version_not_found")


def test_an_incomplete_draft_is_kept_and_not_published(author: Author) -> None:
    author.create()
    author.change(content="{{ nmae }}")
    lint = author.act("lint", version=2)
    assert lint["publishable"] is False
    (error,) = [e for e in lint["errors"] if e["code"] == "undeclared_variable"]
    assert (error["field"], error["line"], error["column"]) == ("content", 1, 4)
    refusal = refused(author.call("POST", f"{TEMPLATES}welcome/publish/", {}))
    assert refusal[:2] == (400, "validation_error")
    assert "nmae" in str(refusal[2])
    assert subject_sent(author) == "Welcome, {{ name }}!"


def test_a_lint_warns_of_what_may_be_meant(author: Author) -> None:
    author.create(content="", category="marketing")
    lint = author.act("lint")
    assert lint["publishable"] is True
    assert lint["errors"] == []
    assert {warning["field"] for warning in lint["warnings"]} >= {"content"}


def test_without_a_draft_there_is_nothing_to_publish(author: Author) -> None:
    author.create()
    response = author.call("POST", f"{TEMPLATES}welcome/publish/", {})
    assert refused(response)[:2] == (409, "nothing_to_publish")


def test_languages_live_side_by_side_and_fall_back(author: Author) -> None:
    author.create()
    author.change(language="pt", subject="Bem-vindo {{ name }}")
    author.act("publish")
    assert subject_sent(author, "pt") == "Bem-vindo {{ name }}"
    assert subject_sent(author, "en") == "Welcome, {{ name }}!"
    assert author.get("welcome/?language=pt-BR")["language"] == "pt"
    assert author.get("welcome/?language=de")["language"] == "en"
    assert author.get()["language"] == "en"


def test_a_diff_names_what_differs(author: Author) -> None:
    author.create()
    author.change(content="Hello {{ name }}")
    (change,) = author.get("welcome/diff/?from=1&to=2")["changes"]
    assert change["field"] == "content"
    assert "-Hi {{ name }}\n+Hello {{ name }}" in change["unified"]
    for query in ("from=1", "from=x&to=2", "from=1&to=99999999999"):
        assert refused(author.call("GET", f"{TEMPLATES}welcome/diff/?{query}"))[0] == 400


def test_a_preview_is_what_would_be_sent(author: Author) -> None:
    author.create()
    shown = author.act("preview", data={"name": "<b>Ann</b>"})
    assert shown["subject"] == "Welcome, <b>Ann</b>!"
    assert shown["content"] == "Hi <b>Ann</b>"
    assert shown["html_content"] == "<p>Hi &lt;b&gt;Ann&lt;/b&gt;</p>"
    path = f"{TEMPLATES}welcome/preview/"
    missing = refused(author.call("POST", path, {"data": {}}))
    assert missing[:2] == (400, "missing_variables")
    assert list(missing[2]) == ["name"]
    newline = refused(author.call("POST", path, {"data": {"name": "a\r\nBcc: x@example.com"}}))
    assert newline[:2] == (400, "validation_error")


def test_a_template_that_runs_for_ever_is_stopped(author: Author) -> None:
    author.create(content="{% for i in range(99999999) %}x{% endfor %}{{ name }}")
    response = author.call("POST", f"{TEMPLATES}welcome/preview/", {"data": {"name": "Ann"}})
    assert refused(response)[:2] == (400, "validation_error")


def test_a_publish_is_in_the_cache_when_it_is_answered(
    author: Author, django_capture_on_commit_callbacks: Any
) -> None:
    author.create()
    with django_capture_on_commit_callbacks(execute=True):
        author.change(subject="Two {{ name }}")
        author.act("publish")
    entry = cache.cache().read(author.organization_id, "welcome")
    assert entry is not None
    assert entry.fresh
    assert entry.record is not None
    assert entry.record.languages["en"].subject == "Two {{ name }}"


def test_a_preview_follows_the_readers_language_and_clock(author: Author) -> None:
    words = "{{ at|date('day') }} {{ at|time }} {{ price|currency('EUR') }}"
    author.create(content=words, html_content="", variables=["at", "price", "name"])
    data = {"name": "Ann", "at": "2026-01-31T23:30:00Z", "price": "1234.5"}
    shown = [
        author.act("preview", data=data, **reader)["content"]
        for reader in (
            {},
            {"language": "en-gb", "timezone": "Asia/Tokyo"},
            # An English text is written with English dates, whoever reads it.
            {"language": "de"},
        )
    ]
    assert shown == [
        "January 31 11:30 PM €1,234.50",
        "1 February 08:30 €1,234.50",
        "January 31 11:30 PM €1,234.50",
    ]


def test_a_preview_without_data_takes_the_sample(author: Author) -> None:
    assert author.create(sample_data={"name": "Zoë"})["sample_data"] == {"name": "Zoë"}
    assert author.act("preview")["content"] == "Hi Zoë"
    assert author.act("preview", data={"name": "Ann"})["content"] == "Hi Ann"
    status, error, _ = refused(author.call("POST", f"{TEMPLATES}welcome/preview/", {"data": {}}))
    assert (status, error) == (400, "missing_variables")
    shown = author.change(sample_data={"name": "Bo"})
    assert (shown["version"], shown["sample_data"]) == (1, {"name": "Bo"})
    assert author.act("preview")["content"] == "Hi Bo"


def test_a_sample_has_its_bound(author: Author) -> None:
    body = {**EMAIL, "sample_data": {"name": "a" * 70_000}}
    status, error, details = refused(author.call("POST", TEMPLATES, body))
    assert (status, error, set(details)) == (400, "validation_error", {"sample_data"})


def test_very_long_texts_are_not_compared_line_by_line(author: Author) -> None:
    author.create(content="{{ name }}" + "\na" * 3_000)
    author.change(content="{{ name }}" + "\nb" * 3_000)
    (change,) = author.get("welcome/diff/?from=1&to=2")["changes"]
    assert (change["field"], change["unified"]) == ("content", "")


def test_a_preview_for_nowhere_is_refused(author: Author) -> None:
    author.create()
    body = {"data": {"name": "Ann"}, "timezone": "Mars/Base", "language": "english"}
    status, error, details = refused(author.call("POST", f"{TEMPLATES}welcome/preview/", body))
    assert (status, error, set(details)) == (400, "validation_error", {"timezone", "language"})


def test_a_slow_reader_cannot_bring_old_words_back(
    author: Author, django_capture_on_commit_callbacks: Any
) -> None:
    author.create()
    template = find_template(author.organization_id, "welcome")
    old = template_record(template)
    assert old is not None
    with django_capture_on_commit_callbacks(execute=True):
        author.change(subject="Two {{ name }}")
        author.act("publish")
    cache.cache().write(author.organization_id, ["welcome"], old)
    assert subject_sent(author) == "Two {{ name }}"
    entry = cache.cache().read(author.organization_id, "welcome")
    assert entry is not None
    assert entry.record is not None
    assert entry.record.languages["en"].version == 2


def test_archiving_is_in_the_cache(author: Author, django_capture_on_commit_callbacks: Any) -> None:
    author.create()
    assert author.record() is not None
    with django_capture_on_commit_callbacks(execute=True):
        author.call("DELETE", f"{TEMPLATES}welcome/")
    entry = cache.cache().read(author.organization_id, "welcome")
    assert entry is not None
    assert entry.record is None


@pytest.mark.django_db(transaction=True)
def test_edits_at_the_same_time_all_become_versions(author: Author) -> None:
    author.create()
    statuses: list[int] = []

    def edit(number: int) -> None:
        body = {"content": f"{number} {{{{ name }}}}"}
        statuses.append(author.call("PATCH", f"{TEMPLATES}welcome/", body).status_code)
        connection.close()

    threads = [threading.Thread(target=edit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 8
    numbers: list[Any] = [version["version"] for version in author.get("welcome/versions/")]  # type: ignore[index]
    assert numbers == list(range(9, 0, -1))


@pytest.mark.django_db(transaction=True)
def test_a_code_is_taken_once_by_two_at_the_same_time(author: Author) -> None:
    statuses: list[int] = []

    def create() -> None:
        statuses.append(author.call("POST", TEMPLATES, EMAIL).status_code)
        connection.close()

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 409, 409, 409]
