"""Calls that are carried to the internal services and back."""

import json
import re

import pytest

from carillon.contracts.messages import Mode
from carillon.web.errors import NotFound, ValidationFailed
from gateway.forwarding.client import fill, safe_headers, safe_query
from gateway.forwarding.resources import IMPORT_BYTES, RESOURCES
from gateway.organizations.services import create_api_key
from gateway.organizations.synchronization import USER_SERVICE
from gateway.tests.calls import Api
from gateway.tests.conftest import Tenant
from gateway.tests.doubles import Reply

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

USER = {"email": "fresh_test_user@example.com", "name": "Fresh Test User"}


def test_a_call_arrives_with_the_keys_organization_and_our_secret(tenant: Tenant) -> None:
    created = b'{"success": true, "data": {"user_id": "user_1"}, "message": "User created"}'
    tenant.users.reply = Reply(201, created)
    answer = tenant.api.post("/api/v1/users/", USER, X_Correlation_ID="corr_mine")
    assert (answer.status, answer.data) == (201, {"user_id": "user_1"})
    assert answer.headers["Content-Type"] == "application/json"
    (call,) = tenant.users.calls
    assert (call.method, call.path, json.loads(call.body)) == ("POST", "/api/v1/users/", USER)
    assert call.headers["x-organization-id"] == tenant.id
    assert call.headers["x-internal-secret"] == tenant.users.secret
    assert call.headers["x-correlation-id"] == "corr_mine"
    assert "x-api-key" not in call.headers


def test_a_call_says_which_key_asks(tenant: Tenant) -> None:
    key, new = create_api_key(tenant.organization, name="Größe 1", mode=Mode.LIVE)
    Api(new.text).post("/api/v1/templates/", {}, X_Actor="key_forged Eve")
    (call,) = tenant.templates.calls
    assert call.headers["x-actor"] == f"{key.pk} Gr%C3%B6%C3%9Fe%201"


def calls() -> list[tuple[str, str, str]]:
    """Each forwarded call, with a value for each part of its path."""
    return [
        (method, "/" + re.sub("<str:([a-z_]+)>", r"some_\1", resource.path), resource.service)
        for resource in RESOURCES
        for method in resource.methods
    ]


@pytest.mark.parametrize(("method", "path", "service"), calls())
def test_every_public_call_is_forwarded(
    tenant: Tenant, method: str, path: str, service: str
) -> None:
    double = tenant.users if service == USER_SERVICE else tenant.templates
    body: dict[str, object] | None = {} if method in {"POST", "PUT", "PATCH"} else None
    assert tenant.api.call(method, path, body).status == 200
    assert [(call.method, call.path) for call in double.calls] == [(method, path)]


@pytest.mark.parametrize(("method", "path", "service"), calls())
def test_a_key_of_another_scope_reaches_nothing(
    tenant: Tenant, method: str, path: str, service: str
) -> None:
    other = "templates" if service == USER_SERVICE else "users"
    api = tenant.api_with("send", "read", other)
    assert api.call(method, path).error == (403, "insufficient_scope")
    assert tenant.users.calls == tenant.templates.calls == []


def test_the_query_and_safe_headers_pass_both_ways(tenant: Tenant) -> None:
    told = {"ETag": '"v3"', "Idempotent-Replayed": "true"}
    kept = {"Set-Cookie": "a=b", "Server-Timing": "x"}
    tenant.templates.reply = Reply(200, b'{"success":true}', told | kept)
    answer = tenant.api.get(
        "/api/v1/templates/welcome/?language=pt-BR&version=3&x=%26%0d%0a",
        If_Match='"v2"',
        If_None_Match='"v1"',
        Idempotency_Key="order-1",
        Cookie="a=b",
        Authorization="Bearer x",
    )
    (call,) = tenant.templates.calls
    assert call.query == "language=pt-BR&version=3&x=%26%0D%0A"
    assert call.headers["if-match"] == '"v2"'
    assert call.headers["if-none-match"] == '"v1"'
    assert call.headers["idempotency-key"] == "order-1"
    assert not {"cookie", "authorization"} & set(call.headers)
    assert {name: answer.headers[name] for name in told} == told
    assert not set(kept) & set(answer.headers)


@pytest.mark.parametrize("status", [400, 404, 409, 412, 422])
def test_a_services_refusal_is_passed_on(tenant: Tenant, status: int) -> None:
    tenant.users.reply = Reply(status, b'{"success":false,"error":"user_exists"}')
    assert tenant.api.post("/api/v1/users/", USER).error == (status, "user_exists")


@pytest.mark.parametrize("status", [500, 502, 503, 401, 302])
def test_what_a_client_cannot_mend_is_503(tenant: Tenant, status: int) -> None:
    tenant.users.reply = Reply(status, b"secret trace", {"Location": "http://127.0.0.1:1/"})
    answer = tenant.api.post("/api/v1/users/", USER)
    assert answer.error == (503, "user_service_unavailable")
    assert "secret" not in str(answer.body)


def test_a_service_that_is_down_is_named(tenant: Tenant) -> None:
    tenant.templates.down = True
    answer = tenant.api.get("/api/v1/templates/")
    assert answer.error == (503, "template_service_unavailable")
    assert answer.headers["Retry-After"]


def test_what_clients_provoke_does_not_stop_notifications(tenant: Tenant) -> None:
    """The forwarder has a circuit breaker of its own."""
    from gateway.tests.records import make_user

    tenant.users.add_user(tenant.id, make_user(external_id="u"))
    tenant.users.reply = Reply(500, b"")
    for _ in range(10):
        assert tenant.api.post("/api/v1/users/", USER).status == 503
    body = {"notification_type": "sms", "user_id": "u", "content": {"body": "B"}}
    assert tenant.api.send(body).status == 202


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/users/../internal/organizations/",
        "/api/v1/users/%2e%2e/",
        "/api/v1/users/./",
        "/api/v1/users/%2e/preferences/",
        "/api/v1/users/..%2f..%2finternal/",
        "/api/v1/users/x/%2e%2e/devices/",
        "/api/v1/users/../devices/",
        "/api/v1/users/x/unknown/",
        "/api/v1/users/" + "x" * 200 + "/",
        "/internal/organizations/",
        "/internal/users/x/",
    ],
)
def test_nothing_beyond_the_table_is_reached(tenant: Tenant, path: str) -> None:
    answer = tenant.api.get(path)
    assert answer.status == 404
    assert tenant.users.calls == tenant.templates.calls == []


@pytest.mark.parametrize("segment", ["a b", "a?b=c", "a#b", "é", "a%0d%0aX-Evil: 1", "a;b", "a\\b"])
def test_an_identifier_stays_one_segment(tenant: Tenant, segment: str) -> None:
    from urllib.parse import quote

    encoded = quote(segment, safe="")
    tenant.api.get(f"/api/v1/users/{encoded}/")
    (call,) = tenant.users.calls
    assert call.path == f"/api/v1/users/{encoded}/"
    assert call.query == ""
    assert "x-evil" not in call.headers


def test_a_large_body_is_413_before_it_is_sent(tenant: Tenant) -> None:
    answer = tenant.api.post("/api/v1/templates/", b"{" + b" " * 1_000_001)
    assert answer.error == (413, "payload_too_large")
    assert tenant.templates.calls == []


@pytest.mark.parametrize("path", ["/api/v1/users/import/", "/api/v1/suppressions/import/"])
def test_an_import_may_be_large(tenant: Tenant, path: str) -> None:
    lines = b'{"external_id":"customer-1","name":"%s"}\n' % (b"x" * 500) * 8_000
    assert 4_000_000 < len(lines) < IMPORT_BYTES
    answer = tenant.api.call("POST", path, lines, Content_Type="application/x-ndjson")
    assert answer.status == 200
    (call,) = tenant.users.calls
    assert call.body == lines
    assert call.headers["content-length"] == str(len(lines))
    assert call.headers["content-type"] == "application/x-ndjson"


def test_an_import_that_is_too_large_is_413_before_it_is_read(tenant: Tenant) -> None:
    answer = tenant.api.call(
        "POST", "/api/v1/users/import/", b"{}", Content_Length=str(IMPORT_BYTES + 1)
    )
    assert answer.error == (413, "payload_too_large")
    assert tenant.users.calls == []


def test_a_method_that_is_not_in_the_table_is_405(tenant: Tenant) -> None:
    answer = tenant.api.call("PUT", "/api/v1/users/", {})
    assert answer.error == (405, "method_not_allowed")


def test_parts_of_a_path_are_quoted_whole() -> None:
    assert fill("a/<str:x>/b/", {"x": "c/d?e"}) == "/a/c%2Fd%3Fe/b/"
    for climbing in (".", ".."):
        with pytest.raises(NotFound):
            fill("a/<str:x>/", {"x": climbing})


def test_headers_that_could_break_out_are_left_out() -> None:
    good = {"If-Match": '"a"', "Content-Type": "application/json; charset=utf-8"}
    bad = {"If-Match": "a\r\nX: y", "Content-Type": " x", "If-None-Match": "é"}
    assert safe_headers(good) == good
    assert safe_headers(bad) == {}


def test_a_query_is_encoded_anew() -> None:
    assert safe_query("a=1&b=x y&c=%0d%0a&d") == "a=1&b=x+y&c=%0D%0A&d="
    with pytest.raises(ValidationFailed):
        safe_query("&".join("a=1" for _ in range(101)))
