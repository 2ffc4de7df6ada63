"""What a hostile author may send: each is refused, and nothing of it is kept."""

from typing import Any

import pytest

from template_service.templates.models import Template
from template_service.tests.calls import EMAIL, TEMPLATES, Author, refused

SOURCES = {
    "a class": "{{ name.__class__ }}",
    "a class by its key": "{{ name['__class__'] }}",
    "an attribute by a filter": "{{ name|attr('__class__') }}",
    "unescaped HTML": "{{ name|safe }}",
    "a call": "{{ name.format(1) }}",
    "a power": "{{ 2 ** 99999 }}",
    "a macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "an import": "{% import 'os' as os %}",
    "too many parentheses": "{{ " + "(" * 50_000 + "1" + ")" * 50_000 + " }}",
    "too many signs": "{{ " + "not " * 50_000 + "name }}",
    "too many blocks": "{% if name %}" * 5_000,
    "too many blocks of a layout": "".join(f"{{% block b{n} %}}" for n in range(5_000)),
    "a tag without an end": "{{ " * 80_000,
    "a file": "{% include '/etc/passwd' %}",
    "itself": "{% include 'welcome' %}{{ name }}",
    "its own layout": "{% extends 'welcome' %}",
}
# They can be written, and are stopped when they run.
RUNNING = {
    "a text of two billion": "{{ 'a' * 2e9 }}{{ name }}",
    "loops in loops": "{% for a in range(99999) %}{% for b in range(99999) %}{{ name }}"
    "{% endfor %}{% endfor %}",
    "a text that doubles": "{% set a = name %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
    "a long range": "{{ range(2000000000)|length }}{{ name }}",
}


@pytest.mark.parametrize("field", ["subject", "content", "html_content"])
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_what_the_language_has_not_is_not_published(
    author: Author, source: str, field: str
) -> None:
    body = {**EMAIL, field: source[:998] if field == "subject" else source}
    status, code, details = refused(author.call("POST", TEMPLATES, body))
    assert (status, code) == (400, "validation_error")
    assert field in details
    assert not Template.objects.exists()


@pytest.mark.parametrize("source", RUNNING.values(), ids=RUNNING.keys())
def test_what_would_run_for_ever_is_stopped(author: Author, source: str) -> None:
    author.create(content=source)
    path = f"{TEMPLATES}welcome/preview/"
    response = author.call("POST", path, {"data": {"name": "Ann" * 1_000}})
    assert refused(response)[:2] == (400, "validation_error")


def test_partials_that_double_each_other_are_bounded(author: Author) -> None:
    part = {"subject": "", "html_content": "", "variables": []}
    author.create(code="_0", content="x", **part)
    for number in range(1, 8):
        twice = f"{{% include '_{number - 1}' %}}" * 2
        body = {**EMAIL, **part, "code": f"_{number}", "content": twice}
        status = author.call("POST", TEMPLATES, body).status_code
        assert status == (201 if number < 6 else 400)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", ""), ("PUT", "welcome/"), ("PATCH", "welcome/"), ("POST", "welcome/preview/"),
     ("POST", "welcome/lint/"), ("POST", "welcome/publish/"), ("POST", "welcome/rollback/")],
)  # fmt: skip
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"colour": "red"}, 400, "validation_error"),
        ({"content": "a" * 1_000_001}, 413, "payload_too_large"),
        ([], 400, "invalid_json"),
    ],
)
def test_every_body_has_known_fields_and_a_bound(
    author: Author, method: str, path: str, body: Any, status: int, code: str
) -> None:
    author.create()
    if isinstance(body, dict) and method in {"POST", "PUT"} and path in {"", "welcome/"}:
        body = {**EMAIL, **body} if not path else {"name": "a", "content": "b", **body}
    assert refused(author.call(method, f"{TEMPLATES}{path}", body))[:2] == (status, code)


@pytest.mark.parametrize("field", ["content", "html_content", "mjml"])
def test_a_source_has_its_bound(author: Author, field: str) -> None:
    body = {**EMAIL, "html_content": "", field: "a" * 262_145}
    status, code, details = refused(author.call("POST", TEMPLATES, body))
    assert (status, code, list(details)) == (400, "validation_error", [field])


@pytest.mark.parametrize(
    "code", ["../x", "a/b", "a b", "-a", ".a", "é", "a\n", "", "a" * 101, "<b>"]
)
def test_a_code_is_a_plain_word(author: Author, code: str) -> None:
    status, _, details = refused(author.call("POST", TEMPLATES, {**EMAIL, "code": code}))
    assert (status, list(details)) == (400, ["code"])
