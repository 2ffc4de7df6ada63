"""Every version says who wrote it and who published it, and when."""

from typing import Any

from django.core.management import call_command

from template_service.tests.calls import Author

ANN = {"id": "key_1", "name": "Ann's laptop"}
BOB = {"id": "key_2", "name": "Bob"}


def test_versions_say_who_wrote_and_who_published_them(author: Author) -> None:
    ann, bob = author.acting(ANN), author.acting(BOB)
    made = ann.create()
    assert (made["created_by"], made["published_by"]) == (ANN, ANN)
    draft = bob.change(subject="Two {{ name }}")
    assert (draft["created_by"], draft["published_by"]) == (BOB, None)
    ann.act("publish")
    versions: Any = author.get("welcome/versions/")
    assert [(v["created_by"], v["published_by"]) for v in versions] == [(BOB, ANN), (ANN, ANN)]
    assert versions[0]["published_at"] > versions[0]["created_at"]
    bob.act("rollback")
    diff = author.get("welcome/diff/?from=1&to=2")
    assert (diff["before"]["published_by"], diff["after"]["published_by"]) == (BOB, ANN)


def test_who_publishes_a_part_publishes_what_has_it(author: Author) -> None:
    author.create(code="_line", subject="", html_content="", content="{{ name }}")
    author.create(content="{% include '_line' %}")
    author.change("_line", content="-- {{ name }}")
    author.acting(BOB).act("publish", "_line", republish_dependents=True)
    assert author.get()["created_by"] == BOB


def test_calls_from_within_the_network_need_not_say_who(author: Author) -> None:
    made = author.create()
    assert (made["created_by"], made["published_by"]) == (None, None)


def test_an_import_is_named(author: Author, stranger: Author, tmp_path: Any) -> None:
    author.create()
    call_command("templates", "export", str(tmp_path), "--organization", author.organization_id)
    call_command("templates", "import", str(tmp_path), "--organization", stranger.organization_id)
    assert stranger.get()["created_by"] == {"id": "manage.py", "name": "templates import"}
