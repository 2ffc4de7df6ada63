"""Bad input gets a clear error, at the real platform."""

from typing import Any

import pytest
import requests

from tests.end_to_end.stack import Stack, Tenant, eventually

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]

KEY = "org_live_" + "a" * 10 + "_" + "b" * 43


@pytest.fixture(scope="module")
def sender(stack: Stack) -> tuple[Tenant, str]:
    """A tenant and its user; a template `hello` for email is published."""
    tenant = stack.new_tenant()
    tenant.make_template("hello")
    return tenant, tenant.make_user()


def code_of(answer: requests.Response) -> tuple[int, str]:
    body = answer.json()
    assert body["success"] is False
    assert body["message"]
    return answer.status_code, body["error"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "authentication_required"),
        ({"X-API-Key": KEY}, "invalid_api_key"),
        ({"X-API-Key": "nonsense"}, "invalid_api_key"),
    ],
)
def test_without_a_valid_key_nothing_is_told(
    stack: Stack, headers: dict[str, str], code: str
) -> None:
    url = stack.url("gateway", "/api/v1/notifications/")
    assert code_of(requests.post(url, json={}, headers=headers, timeout=60)) == (401, code)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"notification_type": "pigeon"}, (400, "validation_error")),
        ({"priority": "high"}, (400, "validation_error")),
        ({"priority": 11}, (400, "validation_error")),
        ({"variables": []}, (400, "validation_error")),
        ({"colour": "red"}, (400, "validation_error")),
        ({"scheduled_at": "2030-01-01T00:00:00"}, (400, "validation_error")),
        ({"notification_type": "sms"}, (400, "template_type_mismatch")),
        ({"template_code": "unknown"}, (404, "template_not_found")),
        ({"user_id": "user_0193f2c6a7b87d1e9c0a5b4d3e2f1a00"}, (404, "user_not_found")),
        ({"variables": {}}, (400, "missing_variables")),
        ({"variables": {"name": "a\r\nBcc: x@example.com"}}, (400, "validation_error")),
    ],
)
def test_a_bad_notification(
    sender: tuple[Tenant, str], change: dict[str, Any], expected: tuple[int, str]
) -> None:
    tenant, user_id = sender
    body = {
        "notification_type": "email",
        "user_id": user_id,
        "template_code": "hello",
        "variables": {"name": "Ann"},
        **change,
    }
    assert code_of(tenant.call("POST", "/api/v1/notifications/", body)) == expected


def test_missing_fields_and_variables_are_named(sender: tuple[Tenant, str]) -> None:
    tenant, user_id = sender
    answer = tenant.call("POST", "/api/v1/notifications/", {"user_id": user_id})
    assert code_of(answer) == (400, "missing_fields")
    assert "notification_type" in answer.json()["message"]
    answer = tenant.send("email", user_id, "hello", variables={"nom": "Ann"})
    assert code_of(answer) == (400, "missing_variables")
    assert "name" in answer.json()["message"]


def test_malformed_json(sender: tuple[Tenant, str], stack: Stack) -> None:
    answer = requests.post(
        stack.url("gateway", "/api/v1/notifications/"),
        data=b'{"notification_type": ',
        headers={"X-API-Key": sender[0].key, "Content-Type": "application/json"},
        timeout=60,
    )
    assert code_of(answer) == (400, "invalid_json")


def test_what_belongs_to_another_organization_does_not_exist(
    sender: tuple[Tenant, str], tenant: Tenant
) -> None:
    owner, user_id = sender
    tenant.make_template("mine")
    own_user = tenant.make_user()
    assert code_of(tenant.send("email", user_id, "mine")) == (404, "user_not_found")
    assert code_of(tenant.send("email", own_user, "hello")) == (404, "template_not_found")
    assert tenant.call("GET", f"/api/v1/users/{user_id}/").status_code == 404
    assert tenant.call("GET", "/api/v1/templates/hello/").status_code == 404
    notification_id = owner.accepted("email", user_id, "hello")
    body = {"notification_id": notification_id}
    assert tenant.call("POST", "/api/v1/notifications/status/", body).status_code == 404
    assert tenant.call("GET", f"/api/v1/notifications/{notification_id}/").status_code == 404


@pytest.mark.parametrize("service", ["user_service", "template_service"])
def test_an_internal_call_with_a_wrong_secret(stack: Stack, service: str) -> None:
    path = "/api/v1/users/" if service == "user_service" else "/api/v1/templates/"
    headers = {"X-Internal-Secret": "wrong", "X-Organization-ID": "org_" + "0" * 32}
    answer = requests.get(stack.url(service, path), headers=headers, timeout=60)
    assert code_of(answer) == (401, "authentication_required")


def test_a_neighbour_that_is_down_is_named(stack: Stack, tenant: Tenant) -> None:
    tenant.make_template("hello")
    user_id = tenant.make_user()
    # What the organization decided is cached from here on.
    tenant.accepted("email", user_id, "hello")
    stack.platform.stop("user_service")
    try:
        answer = tenant.send("email", "crm-4711", "hello")
        assert code_of(answer) == (503, "user_service_unavailable")
        # Whom the cache knows can still be sent to.
        assert tenant.send("email", user_id, "hello").status_code == 202
        health = requests.get(stack.url("gateway", "/health/"), timeout=60)
        assert health.status_code == 503
        assert health.json()["checks"]["user_service"]["status"] == "unhealthy"
    finally:
        stack.platform.start_process("user_service")
    again = eventually(
        lambda: tenant.send("email", user_id, "hello"), lambda answer: answer.status_code == 202
    )
    assert tenant.ended(again.json()["data"]["notification_id"])["status"] == "delivered"
