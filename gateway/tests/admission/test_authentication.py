"""Who may come in."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from carillon.contracts import ids
from carillon.contracts.messages import Mode
from gateway.config import Plan
from gateway.organizations.models import APIKey
from gateway.organizations.services import create_api_key, save_organization
from gateway.tests.calls import NOTIFICATIONS, Api, inline
from gateway.tests.conftest import Tenant

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

ME = "/api/v1/organizations/me/"
UNKNOWN = "org_live_abcdefghij_" + "A" * 43


def test_a_key_opens_the_door(tenant: Tenant) -> None:
    answer = tenant.api.get(ME)
    assert (answer.status, answer.data["organization_id"]) == (200, tenant.id)


def test_no_key_is_authentication_required(tenant: Tenant) -> None:
    answer = Api("").get(ME)
    assert answer.error == (401, "authentication_required")
    assert answer.headers["WWW-Authenticate"] == "X-API-Key"
    assert "RateLimit" not in answer.headers


def test_unknown_wrong_deactivated_and_expired_keys_get_the_same_answer(tenant: Tenant) -> None:
    known = tenant.api.key
    _, expired = create_api_key(
        tenant.organization, mode=Mode.LIVE, expires_at=datetime.now(UTC) - timedelta(seconds=1)
    )
    stored, deactivated = create_api_key(tenant.organization, mode=Mode.LIVE)
    APIKey.objects.filter(pk=stored.pk).update(is_active=False)
    wrong_secret = known[:20] + ("A" if known[20] != "A" else "B") + known[21:]
    keys = (
        UNKNOWN,
        wrong_secret,
        expired.text,
        deactivated.text,
        known[:-1],
        known.upper(),
        "not a key",
        tenant.organization.pk,
        "' OR 1=1 --",
    )
    answers = {str(tenant.api.with_key(key).get(ME).body) for key in keys}
    assert len(answers) == 1
    assert "'invalid_api_key'" in answers.pop()


@pytest.mark.parametrize(
    "header", ["ключ", "é" * 63, "org_live_abcdefghij_" + "é" * 43, "\x80\xff"]
)
def test_a_non_ascii_key_is_401(tenant: Tenant, header: str) -> None:
    response = Client().get(ME, HTTP_X_API_KEY=header)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_api_key")


def test_a_key_that_expires_stops_without_anybody_being_told(tenant: Tenant) -> None:
    for seconds in (1, 10, 60):
        soon = datetime.now(UTC) + timedelta(seconds=seconds)
        _, key = create_api_key(tenant.organization, mode=Mode.LIVE, expires_at=soon)
        api = tenant.api.with_key(key.text)
        status = api.get(ME).status
        # On a busy machine a second may pass before the first answer.
        if datetime.now(UTC) < soon:
            break
    assert status == 200
    while datetime.now(UTC) < soon:
        time.sleep(0.01)
    assert api.get(ME).error == (401, "invalid_api_key")


@pytest.mark.parametrize("parameter", ["api_key", "API-KEY", "apikey", "key", "x-api-key", "any"])
def test_a_key_in_the_query_is_401_even_beside_a_good_header(
    tenant: Tenant, parameter: str
) -> None:
    for api in (tenant.api, Api("")):
        answer = api.get(f"{ME}?{parameter}={tenant.api.key}")
        assert answer.error == (401, "authentication_required")
        assert tenant.api.key not in str(answer.body)


@pytest.mark.parametrize("name", ["X_API_Key", "X_Organization_ID"])
def test_a_header_sent_twice_is_400(tenant: Tenant, name: str) -> None:
    twice = {"X_API_Key": tenant.api.key, "X_Organization_ID": tenant.id}[name]
    answer = tenant.api.get(ME, **{name: f"{twice},{twice}"})
    assert answer.error == (400, "validation_error")
    assert tenant.api.key not in str(answer.body)


def test_the_callers_own_organization_id_is_ignored_and_anothers_refused(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    assert tenant.api.get(ME, X_Organization_ID=tenant.id).status == 200
    for claimed in (other_tenant.id, ids.new_id(ids.ORGANIZATION), "acme", tenant.id.upper()):
        answer = tenant.api.get(ME, X_Organization_ID=claimed)
        assert answer.error == (403, "organization_mismatch")


def test_an_inactive_organization_is_403(tenant: Tenant) -> None:
    tenant.organization.is_active = False
    save_organization(tenant.organization)
    assert tenant.api.get(ME).error == (403, "organization_inactive")


@pytest.mark.parametrize(
    ("method", "path", "scopes"),
    [
        ("POST", NOTIFICATIONS, {"send", "admin"}),
        ("GET", NOTIFICATIONS, {"send", "read", "admin"}),
        ("GET", f"{NOTIFICATIONS}{ids.new_id(ids.NOTIFICATION)}/", {"send", "read", "admin"}),
        ("POST", f"{NOTIFICATIONS}status/", {"send", "read", "admin"}),
        ("GET", "/api/v1/users/", {"users", "admin"}),
        ("POST", "/api/v1/users/", {"users", "admin"}),
        ("GET", "/api/v1/templates/", {"templates", "admin"}),
        ("POST", "/api/v1/templates/a/publish/", {"templates", "admin"}),
        ("GET", "/api/v1/api-keys/", {"admin"}),
        ("POST", "/api/v1/api-keys/", {"admin"}),
        ("POST", f"/api/v1/api-keys/{ids.new_id(ids.API_KEY)}/deactivate/", {"admin"}),
        ("GET", ME, {"send", "read", "users", "templates", "admin"}),
    ],
)
def test_every_call_needs_its_scope(
    tenant: Tenant, method: str, path: str, scopes: set[str]
) -> None:
    for scope in ("send", "read", "users", "templates", "admin"):
        answer = tenant.api_with(scope).call(method, path, {} if method == "POST" else None)
        assert (answer.error == (403, "insufficient_scope")) == (scope not in scopes), scope


def test_the_order_is_key_organization_scope_limit_body(
    committed_tenant: Tenant, configure: Any
) -> None:
    tenant = committed_tenant
    configure(plans={"pro": Plan(requests_per_minute=4, monthly_quota=None)})
    reader = tenant.api_with("read")
    broken = b"{"
    assert Api(UNKNOWN).send(broken).error == (401, "invalid_api_key")
    assert reader.send(broken).error == (403, "insufficient_scope")
    assert tenant.api.send(broken).error == (400, "invalid_json")
    for _ in range(2):
        tenant.api.get(ME)
    assert tenant.api.send(broken).error == (429, "rate_limit_exceeded")
    assert reader.send(broken).error == (403, "insufficient_scope")
    tenant.organization.is_active = False
    save_organization(tenant.organization)
    assert reader.send(inline()).error == (403, "organization_inactive")


def test_last_used_at_is_written_once_a_minute(tenant: Tenant) -> None:
    def last_used_at() -> datetime | None:
        return APIKey.objects.get(prefix=tenant.api.key[:19]).last_used_at

    assert last_used_at() is None
    tenant.api.get(ME)
    first = last_used_at()
    assert first is not None
    tenant.api.get(ME)
    assert last_used_at() == first
