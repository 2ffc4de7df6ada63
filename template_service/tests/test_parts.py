"""Layouts and partials: put in when a version is published, and kept with it as they were."""

from typing import Any

import pytest
from django.db import connection

from template_service.templates import cache
from template_service.tests.calls import EMAIL, TEMPLATES, Author, refused

LAYOUT: dict[str, Any] = {
    "code": "_layout",
    "name": "Layout",
    "subject": "",
    "content": "{% block body %}{% endblock %}\n-- \n{{ company }}",
    "html_content": "<table><tr><td>{% block body %}{% endblock %}</td></tr></table>"
    "{% include '_footer' %}",
    "variables": ["company"],
}
FOOTER: dict[str, Any] = {
    "code": "_footer",
    "subject": "",
    "content": "",
    "html_content": "<p>{{ company }}</p>",
    "variables": ["company"],
}
WELCOME: dict[str, Any] = {
    "content": "{% extends '_layout' %}{% block body %}Hi {{ name }}{% endblock %}",
    "html_content": "{% extends '_layout' %}{% block body %}<p>Hi {{ name }}</p>{% endblock %}",
}


@pytest.fixture
def house(author: Author) -> Author:
    """A layout with a footer, and an email in it."""
    author.create(**FOOTER)
    author.create(**LAYOUT)
    author.create(**WELCOME)
    return author


def sent(author: Author, code: str = "welcome", language: str = "en") -> dict[str, Any]:
    """What the gateway gets."""
    record = author.record(code)
    assert record is not None
    words: dict[str, Any] = record["languages"][language]
    return words


def test_what_is_sent_has_its_parts_in_it(house: Author) -> None:
    words = sent(house)
    assert words["content"] == "Hi {{ name }}\n-- \n{{ company }}"
    assert words["html_content"] == (
        "<table><tr><td><p>Hi {{ name }}</p></td></tr></table><p>{{ company }}</p>"
    )
    assert words["variables"] == ["name", "company"]
    shown = house.get()
    assert (shown["html_content"], shown["variables"]) == (WELCOME["html_content"], ["name"])


def test_the_list_of_versions_says_what_is_in_each(house: Author) -> None:
    (version,) = house.get("welcome/versions/")
    parts: Any = version["parts"]  # type: ignore[index]
    assert {(part["code"], part["version"]) for part in parts} == {("_layout", 1), ("_footer", 1)}


def test_partials_are_never_sent(house: Author) -> None:
    assert house.record("_layout") is None
    assert house.get("_layout/")["status"] == "active"


def test_what_is_published_stays_when_a_part_changes(house: Author) -> None:
    before = sent(house)
    house.change("_footer", html_content="<p>New {{ company }}</p>")
    published = house.act("publish", "_footer")
    assert published["dependents"] == [
        {
            "code": "welcome",
            "language": "en",
            "version": 1,
            "republished_as": None,
            "variables_added": [],
        }
    ]
    assert sent(house) == before
    (warning,) = [w for w in house.act("lint")["warnings"] if w["code"] == "outdated_part"]
    assert "_footer is published as version 2" in warning["message"]


def test_dependents_are_published_anew_with_the_part(house: Author) -> None:
    house.change(subject="A draft {{ name }}")
    house.change(
        "_footer", html_content="<p>New {{ company }} {{ city }}</p>", variables=["company", "city"]
    )
    published = house.act("publish", "_footer", republish_dependents=True)
    (dependent,) = published["dependents"]
    assert (dependent["republished_as"], dependent["variables_added"]) == (3, ["city"])
    assert sent(house)["version"] == 3
    assert sent(house)["html_content"].endswith("<p>New {{ company }} {{ city }}</p>")
    assert sent(house)["subject"] == EMAIL["subject"]
    # The draft from before has the newer words.
    assert house.change(content="x {{ name }}")["subject"] == "A draft {{ name }}"
    house.act("rollback", version=1)
    assert sent(house)["html_content"].endswith("<p>{{ company }}</p>")


def test_a_part_that_breaks_what_has_it_is_not_published_with_it(house: Author) -> None:
    before = sent(house)
    house.change(
        "_layout", html_content="<script>{% block body %}{% endblock %}</script>{{ company }}"
    )
    path = f"{TEMPLATES}_layout/publish/"
    status, code, details = refused(house.call("POST", path, {"republish_dependents": True}))
    assert (status, code, list(details)) == (400, "validation_error", ["welcome (en)"])
    assert "cannot stand in a script" in details["welcome (en)"][0]
    assert sent(house) == before
    assert house.get("_layout/")["version"] == 1


def test_rolling_a_part_back_tells_of_its_dependents_too(house: Author) -> None:
    house.change("_footer", html_content="<p>New {{ company }}</p>")
    house.act("publish", "_footer", republish_dependents=True)
    rolled = house.act("rollback", "_footer")
    assert [(d["code"], d["version"]) for d in rolled["dependents"]] == [("welcome", 2)]


def test_a_part_is_in_the_readers_language_or_falls_back(house: Author) -> None:
    house.change("_footer", language="pt", html_content="<p>de {{ company }}</p>")
    house.act("publish", "_footer")
    house.change(language="pt-BR", subject="Olá {{ name }}")
    house.act("publish")
    assert sent(house, language="pt-BR")["html_content"].endswith("<p>de {{ company }}</p>")
    assert sent(house)["html_content"].endswith("<p>{{ company }}</p>")


def test_a_new_language_of_a_part_makes_what_fell_back_outdated(house: Author) -> None:
    house.change(language="pt-BR", subject="Olá {{ name }}")
    house.act("publish")
    house.change("_footer", language="pt", html_content="<p>de {{ company }}</p>")
    dependents = house.act("publish", "_footer")["dependents"]
    assert [(d["code"], d["language"]) for d in dependents] == [("welcome", "pt-BR")]


def test_a_draft_is_previewed_with_what_is_published_of_its_parts(house: Author) -> None:
    house.change(
        html_content="{% extends '_layout' %}{% block body %}<b>{{ name }}</b>{% endblock %}"
    )
    shown = house.act("preview", version=2, data={"name": "<Ann>", "company": "Acme"})
    assert shown["html_content"] == (
        "<table><tr><td><b>&lt;Ann&gt;</b></td></tr></table><p>Acme</p>"
    )
    path = f"{TEMPLATES}welcome/preview/"
    response = house.call("POST", path, {"version": 2, "data": {"name": "Ann"}})
    assert refused(response)[:2] == (400, "missing_variables")


@pytest.mark.parametrize(
    ("source", "place", "told"),
    [
        ("Hi\n {% include '_no' %}", "line 2, column 2", "no published template _no"),
        ("{% include 'welcome' %}", "line 1, column 1", "welcome → welcome"),
        ("{% include '_draft' %}", "line 1, column 1", "no published template _draft"),
        ("{% include '_footer' %}", "line 1, column 1", "_footer has no content"),
        ("{% include '../x' %}", "line 1, column 1", "no published template ../x"),
        ("{% include '_theirs' %}", "line 1, column 1", "no published template _theirs"),
    ],
)
def test_a_part_that_is_not_there_is_told_with_its_place(
    house: Author, stranger: Author, source: str, place: str, told: str
) -> None:
    stranger.create(code="_theirs")
    house.create(code="_draft", status="draft")
    house.change(content=source)
    status, _, details = refused(house.call("POST", f"{TEMPLATES}welcome/publish/", {}))
    assert status == 400
    (problem,) = details["content"]
    assert place in problem
    assert told in problem
    lint = house.act("lint", version=2)
    assert lint["publishable"] is False


def test_two_templates_cannot_be_parts_of_each_other(author: Author) -> None:
    author.create(code="_a", content="a", html_content="")
    author.create(code="_b", content="{% include '_a' %}", html_content="", variables=[])
    author.change("_a", content="{% include '_b' %}", variables=[])
    status, _, details = refused(author.call("POST", f"{TEMPLATES}_a/publish/", {}))
    assert status == 400
    assert "_a → _b → _a" in details["content"][0]


def test_broken_parts_of_the_language_are_refused_at_once(author: Author) -> None:
    body = {**EMAIL, "status": "draft", "content": "Hi\n{% block a %}{% if b %}{% endblock %}"}
    _, _, details = refused(author.call("POST", TEMPLATES, body))
    assert "line 2, column 24" in details["content"][0]


def test_a_block_that_the_layout_has_not_is_warned_of(house: Author) -> None:
    draft = house.change(content="{% extends '_layout' %}{% block bdy %}{{ name }}{% endblock %}")
    (warning,) = [w for w in draft["lint"]["warnings"] if w["code"] == "unknown_block"]
    assert (warning["field"], warning["line"], warning["column"]) == ("content", 1, 24)


def test_a_problem_within_a_part_names_the_part(house: Author) -> None:
    house.change("_footer", html_content="\n <a href={{ company }}>x</a>", variables=["company"])
    status, _, details = refused(house.call("POST", f"{TEMPLATES}_footer/publish/", {}))
    assert (status, list(details)) == (400, ["html_content"])
    draft = house.change(
        content="{% for company in [1] %}{% include '_line' %}{% endfor %}{{ name }}"
    )
    assert draft["lint"]["publishable"] is False


def test_a_publish_of_a_part_reaches_the_cache_of_its_dependents(
    house: Author, django_capture_on_commit_callbacks: Any
) -> None:
    house.change("_footer", html_content="<p>New {{ company }}</p>")
    with django_capture_on_commit_callbacks(execute=True):
        house.act("publish", "_footer", republish_dependents=True)
    entry = cache.cache().read(house.organization_id, "welcome")
    assert entry is not None
    assert entry.record is not None
    assert "New" in entry.record.languages["en"].html_content
    partial = cache.cache().read(house.organization_id, "_footer")
    assert partial is not None
    assert partial.record is None
    connection.close_if_unusable_or_obsolete()
