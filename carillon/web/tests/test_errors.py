"""Every exception becomes the envelope; none becomes a stack trace."""

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest
from django.test import Client
from rest_framework import exceptions as drf

from carillon.web import errors
from carillon.web.envelope import EnvelopeRenderer, page_meta


def handled(error: Exception) -> tuple[int, dict[str, Any]]:
    response = errors.handle_exception(error, {"view": None})
    return response.status_code, json.loads(EnvelopeRenderer().render(response.data))


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.Conflict(), 409, "conflict"),
        (errors.MissingFields(details={"a": ["x"]}), 400, "missing_fields"),
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "permission_denied"),
        (drf.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (drf.NotFound(), 404, "not_found"),
        (OperationalError("password authentication failed"), 503, "service_unavailable"),
        (RuntimeError("secret detail"), 500, "internal_error"),
    ],
)
def test_the_envelope(error: Exception, status: int, code: str) -> None:
    got, body = handled(error)
    assert (got, body["success"], body["error"]) == (status, False, code)
    assert set(body) <= {"success", "error", "message", "details", "meta"}
    assert body["meta"]["total"] == 0
    assert "secret detail" not in json.dumps(body)
    assert "password" not in json.dumps(body)


def test_unavailable_says_when_to_try_again() -> None:
    response = errors.handle_exception(errors.ServiceUnavailable(retry_after=7), {})
    assert response.headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("path", "status", "code"), [("/nope/", 404, "not_found"), ("/health", 404, "not_found")]
)
def test_paths_that_no_view_serves(client: Client, path: str, status: int, code: str) -> None:
    response = client.get(path)
    assert response.status_code == status
    assert response.json()["error"] == code


def test_a_defect_outside_of_rest_framework_is_the_envelope_too() -> None:
    response = errors.server_error(HttpRequest())
    assert response.status_code == 500
    assert json.loads(response.content)["error"] == "internal_error"


@pytest.mark.parametrize(
    ("total", "page", "pages", "following", "previous"),
    [
        (0, 1, 0, False, False),
        (20, 1, 1, False, False),
        (21, 1, 2, True, False),
        (60, 3, 3, False, True),
    ],
)
def test_page_meta(total: int, page: int, pages: int, following: bool, previous: bool) -> None:
    meta = page_meta(total=total, limit=20, page=page)
    assert (meta["total_pages"], meta["has_next"], meta["has_previous"]) == (
        pages,
        following,
        previous,
    )
