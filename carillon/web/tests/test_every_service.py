"""What each Django service answers, whichever it is: this suite runs within one of them."""

import json
import re
from unittest import mock

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client

SECRET = {"X-Internal-Secret": settings.CARILLON.internal_secrets[0]}
ORGANIZATION = "org_0193f2c6a7b87d1e9c0a5b4d3e2f1a00"
SYNC = "/internal/organizations/"


@pytest.fixture(autouse=True)
def unconnected(request: pytest.FixtureRequest) -> None:
    """What needs no database finds no connection that an earlier test left open."""
    if request.node.get_closest_marker("django_db") is None:
        connections.close_all()


def sync(client: Client, body: object, headers: dict[str, str] = SECRET) -> tuple[int, str]:
    response = client.post(SYNC, json.dumps(body), content_type="application/json", headers=headers)
    return response.status_code, response.json().get("error", "")


@pytest.mark.parametrize("secret", ["", "wrong", "é" * 20, SECRET["X-Internal-Secret"][:-1]])
def test_a_wrong_secret_is_401(client: Client, secret: str) -> None:
    headers = {"X-Internal-Secret": secret} if secret else {}
    assert sync(client, {}, headers) == (401, "authentication_required")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing_fields"),
        ({"organization_id": ORGANIZATION, "name": ""}, "validation_error"),
        ({"organization_id": "org_1", "name": "Acme"}, "validation_error"),
        ({"organization_id": ORGANIZATION, "name": "A", "plan": "pro"}, "validation_error"),
        ([], "invalid_json"),
    ],
)
def test_a_bad_sync_is_400(client: Client, body: object, code: str) -> None:
    assert sync(client, body) == (400, code)


@pytest.mark.integration
@pytest.mark.django_db
def test_syncing_twice_changes_nothing(client: Client) -> None:
    body = {"organization_id": ORGANIZATION, "name": "Acme"}
    assert sync(client, body) == (201, "")
    assert sync(client, body) == (200, "")


def test_the_correlation_id_comes_back(client: Client) -> None:
    given = client.get("/health/live/", headers={"X-Correlation-ID": "corr_mine"})
    assert given["X-Correlation-ID"] == "corr_mine"
    made = client.get("/health/live/", headers={"X-Correlation-ID": "not sane\n"})
    assert re.fullmatch(r"corr_[0-9a-f]{24}", made["X-Correlation-ID"])


@pytest.mark.parametrize("path", ["/health/live/", "/nothing/", "/api/docs/"])
def test_an_answer_says_how_long_it_is(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer["Content-Length"] == str(len(answer.content))


def test_metrics_count_by_route_and_never_by_path(client: Client) -> None:
    client.get("/nothing/jane@example.com/")
    client.get("/health/live/")
    body = client.get("/metrics").content.decode()
    assert 'route="(unmatched)"' in body
    assert 'route="health/live/"' in body
    assert "jane@" not in body


def test_the_schema_is_made_once_and_not_sent_to_who_has_it(client: Client) -> None:
    first = client.get("/api/schema/")
    assert first["Content-Type"] == "application/json"
    with mock.patch("carillon.web.schema.SchemaGenerator") as generator:
        again = client.get("/api/schema/")
        assert again.content == first.content
        assert client.head("/api/schema/").status_code == 200
        assert generator.call_count == 0
    held = client.get("/api/schema/", headers={"If-None-Match": first["ETag"]})
    assert (held.status_code, held.content) == (304, b"")
    assert client.post("/api/schema/").status_code == 405


@pytest.mark.parametrize("path", ["/api/docs/", "/api/redoc/"])
def test_the_docs_load_nothing_from_elsewhere(client: Client, path: str) -> None:
    page = client.get(path).content.decode()
    sources = re.findall(r"(?:src|href)=\"([^\"]+)\"", page)
    assert sources
    assert [source for source in sources if source.startswith(("http", "//"))] == []
    assert "fonts.g" not in page
    for source in sources:
        if source.startswith("/static/"):
            asset = client.get(source)
            assert asset.status_code == 200, source
            # Read to its end, which closes it as Django's test client wants it closed.
            assert asset.getvalue(), source


def test_the_schema_is_openapi_with_an_example_for_every_call(client: Client) -> None:
    schema = client.get("/api/schema/").json()
    assert schema["openapi"].startswith("3.1")
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation.get("summary"), where
            good = [a for status, a in operation["responses"].items() if status.startswith("2")]
            assert good, where
            for answer in good:
                for content in answer.get("content", {}).values():
                    assert content.get("examples") or content.get("example"), where


def test_security_headers(client: Client) -> None:
    headers = client.get("/api/docs/").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"


def test_the_api_sets_no_cookie_and_the_admin_asks_for_a_login(client: Client) -> None:
    assert not client.get("/api/docs/").cookies
    response = client.get("/admin/")
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")
