"""Keys and the organization through the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carillon.contracts import ids
from carillon.contracts.messages import Mode
from gateway.organizations.apis import api_keys
from gateway.organizations.models import APIKey
from gateway.tests.calls import inline
from gateway.tests.conftest import Tenant

pytestmark = [pytest.mark.integration]

KEYS = "/api/v1/api-keys/"
ME = "/api/v1/organizations/me/"


@pytest.mark.django_db
def test_a_new_key_is_shown_once_and_works(tenant: Tenant) -> None:
    answer = tenant.api.post(KEYS, {"name": "Web shop"})
    assert answer.status == 201
    key = answer.data
    assert key["api_key"].startswith(key["prefix"] + "_")
    assert (key["mode"], key["scopes"], key["is_active"]) == ("live", ["read", "send"], True)
    shop = tenant.api.with_key(key["api_key"])
    assert shop.send(inline()).status == 202
    assert shop.get(KEYS).error == (403, "insufficient_scope")
    listed = tenant.api.get(KEYS)
    assert listed.body["meta"]["total"] == 3
    assert key["api_key"] not in str(listed.body)
    assert listed.data[0]["key_id"] == key["key_id"]
    stored = APIKey.objects.get(pk=key["key_id"])
    assert key["api_key"].encode() not in bytes(stored.digest)


@pytest.mark.django_db
def test_scopes_mode_and_expiry_are_chosen(tenant: Tenant) -> None:
    expires_at = datetime.now(UTC) + timedelta(days=1)
    answer = tenant.api.post(
        KEYS,
        {
            "name": "CI",
            "mode": "test",
            "scopes": ["send", "send", "users"],
            "expires_at": expires_at.isoformat(),
        },
    )
    assert answer.status == 201
    assert answer.data["api_key"].startswith("org_test_")
    assert answer.data["scopes"] == ["send", "users"]
    assert datetime.fromisoformat(answer.data["expires_at"]) == expires_at


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ({}, "missing_fields", "name"),
        ({"name": ""}, "validation_error", "name"),
        ({"name": "x" * 101}, "validation_error", "name"),
        ({"name": "two\nlines"}, "validation_error", "name"),
        ({"name": "a", "mode": "prod"}, "validation_error", "mode"),
        ({"name": "a", "scopes": []}, "validation_error", "scopes"),
        ({"name": "a", "scopes": ["root"]}, "validation_error", "scopes"),
        ({"name": "a", "scopes": "send"}, "validation_error", "scopes"),
        ({"name": "a", "expires_at": "2020-01-01T00:00:00Z"}, "validation_error", "expires_at"),
        ({"name": "a", "expires_at": "2030-01-01T00:00:00"}, "validation_error", "expires_at"),
        ({"name": "a", "organization_id": "org_1"}, "validation_error", "organization_id"),
        ({"name": "a", "api_key": "org_live_mine"}, "validation_error", "api_key"),
    ],
)
def test_a_bad_key_is_400(tenant: Tenant, body: dict[str, Any], code: str, named: str) -> None:
    answer = tenant.api.post(KEYS, body)
    assert answer.error == (400, code)
    assert list(answer.details) == [named]


@pytest.mark.django_db
def test_a_test_key_cannot_make_a_live_one(tenant: Tenant) -> None:
    answer = tenant.test_api.post(KEYS, {"name": "a"})
    assert answer.error == (400, "validation_error")
    assert tenant.test_api.post(KEYS, {"name": "a", "mode": "test"}).status == 201


@pytest.mark.django_db
def test_the_number_of_active_keys_is_bounded(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "ACTIVE_KEYS_MOST", 3)
    assert tenant.api.post(KEYS, {"name": "a"}).status == 201
    assert tenant.api.post(KEYS, {"name": "b"}).error == (409, "too_many_api_keys")


def test_a_deactivated_key_fails_on_the_next_request(committed_tenant: Tenant) -> None:
    tenant = committed_tenant
    key = tenant.api.post(KEYS, {"name": "Web shop"}).data
    shop = tenant.api.with_key(key["api_key"])
    assert shop.get(ME).status == 200
    for _ in range(2):
        answer = tenant.api.post(f"{KEYS}{key['key_id']}/deactivate/")
        assert (answer.status, answer.data["is_active"]) == (200, False)
        assert shop.get(ME).error == (401, "invalid_api_key")


@pytest.mark.django_db
def test_anothers_and_unknown_keys_are_404(tenant: Tenant, other_tenant: Tenant) -> None:
    others = APIKey.objects.filter(organization=other_tenant.organization).first()
    assert others is not None
    for key_id in (others.pk, ids.new_id(ids.API_KEY), "1", tenant.id):
        answer = tenant.api.post(f"{KEYS}{key_id}/deactivate/")
        assert answer.error == (404, "api_key_not_found")
    others.refresh_from_db()
    assert others.is_active


@pytest.mark.django_db
def test_an_organization_sees_itself_and_its_limits(tenant: Tenant) -> None:
    tenant.organization.monthly_quota = 50_000
    tenant.organization.save()
    answer = tenant.api_with("read").get(ME)
    assert answer.status == 200
    shown = answer.data
    assert (shown["organization_id"], shown["name"], shown["plan"]) == (tenant.id, "Acme", "pro")
    assert shown["limits"] == {"requests_per_minute": 6000, "monthly_quota": 50_000}
    assert shown["api_key"]["scopes"] == ["read"]
    sandbox = tenant.api_with("read", mode=Mode.TEST).get(ME).data
    assert sandbox["api_key"]["mode"] == "test"
    assert sandbox["limits"]["monthly_quota"] is None
