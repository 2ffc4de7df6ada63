"""Rotating keys: a new one takes an old one's place, and for a while both work."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from carillon.contracts import ids
from carillon.contracts.messages import Mode
from gateway.organizations import key_records
from gateway.organizations.bodies import OVERLAP_MOST
from gateway.organizations.models import APIKey
from gateway.organizations.services import create_api_key, deactivate_api_key
from gateway.tests.calls import Answer
from gateway.tests.conftest import Tenant
from gateway.tests.threads import at_once

pytestmark = [pytest.mark.integration]

KEYS = "/api/v1/api-keys/"
ME = "/api/v1/organizations/me/"
INVALID = (401, "invalid_api_key")


def made(tenant: Tenant, **fields: Any) -> dict[str, Any]:
    data: dict[str, Any] = tenant.api.post(KEYS, {"name": "Web shop", **fields}).data
    return data


def rotate(tenant: Tenant, key_id: str, body: object = None) -> Answer:
    return tenant.api.post(f"{KEYS}{key_id}/rotate/", body)


def test_a_new_key_is_like_the_old_one(committed_tenant: Tenant) -> None:
    tenant = committed_tenant
    old = made(tenant, scopes=["send", "users"])
    answer = rotate(tenant, old["key_id"])
    assert answer.status == 201
    new = answer.data
    assert new["api_key"] != old["api_key"]
    for field in ("name", "mode", "scopes"):
        assert new[field] == old[field]
    replaced = new["replaces"]
    assert (replaced["key_id"], replaced["replaced_by"]) == (old["key_id"], new["key_id"])
    assert "api_key" not in replaced
    assert new["api_key"] not in str(tenant.api.get(KEYS).body)


def test_both_work_until_the_overlap_has_passed(committed_tenant: Tenant) -> None:
    tenant = committed_tenant
    for overlap in (1, 10, 60):
        old = made(tenant)
        shop = tenant.api.with_key(old["api_key"])
        assert shop.get(ME).status == 200
        new = rotate(tenant, old["key_id"], {"overlap_seconds": overlap}).data
        end = datetime.fromisoformat(new["replaces"]["expires_at"])
        statuses = {key.get(ME).status for key in (shop, tenant.api.with_key(new["api_key"]))}
        # On a busy machine a second may be over by now, which shows nothing.
        if datetime.now(UTC) < end:
            break
    assert statuses == {200}
    while datetime.now(UTC) < end:
        pass
    assert shop.get(ME).error == INVALID
    assert tenant.api.with_key(new["api_key"]).get(ME).status == 200


def test_without_an_overlap_the_old_one_fails_on_the_next_request(
    committed_tenant: Tenant,
) -> None:
    old = made(committed_tenant)
    shop = committed_tenant.api.with_key(old["api_key"])
    assert shop.get(ME).status == 200
    new = rotate(committed_tenant, old["key_id"], {"overlap_seconds": 0}).data
    assert new["replaces"]["is_active"] is False
    assert shop.get(ME).error == INVALID
    assert committed_tenant.api.with_key(new["api_key"]).get(ME).status == 200


def test_a_key_rotates_itself(committed_tenant: Tenant) -> None:
    own = APIKey.objects.get(prefix=committed_tenant.api.key[:19])
    new = rotate(committed_tenant, own.pk).data
    assert committed_tenant.api.get(ME).status == 200
    assert committed_tenant.api.with_key(new["api_key"]).get(KEYS).status == 200


@pytest.mark.django_db
@pytest.mark.parametrize("body", [None, {}, {"overlap_seconds": None}])
def test_the_overlap_is_a_settings_where_nothing_is_said(
    tenant: Tenant, configure: Any, body: object
) -> None:
    configure(key_overlap_seconds=7_200)
    before = datetime.now(UTC)
    replaced = rotate(tenant, made(tenant)["key_id"], body).data["replaces"]
    end = datetime.fromisoformat(replaced["expires_at"])
    assert timedelta(hours=2) <= end - before < timedelta(hours=2, minutes=1)


@pytest.mark.django_db
def test_rotating_prolongs_nothing(tenant: Tenant) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    old = made(tenant, expires_at=soon.isoformat())
    new = rotate(tenant, old["key_id"], {"overlap_seconds": 86_400}).data
    ends = {datetime.fromisoformat(text) for text in (new["expires_at"], old["expires_at"])}
    assert ends == {soon}
    assert datetime.fromisoformat(new["replaces"]["expires_at"]) == soon


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["rotated", "rotated at once", "deactivated", "expired"])
def test_what_does_not_last_is_not_rotated(tenant: Tenant, how: str) -> None:
    key_id = made(tenant)["key_id"]
    if how == "deactivated":
        deactivate_api_key(APIKey.objects.get(pk=key_id))
    elif how == "expired":
        APIKey.objects.filter(pk=key_id).update(expires_at=datetime.now(UTC))
    else:
        body = {"overlap_seconds": 0} if how == "rotated at once" else None
        assert rotate(tenant, key_id, body).status == 201
    before = APIKey.objects.count()
    answer = rotate(tenant, key_id)
    assert answer.error == (409, "api_key_not_rotatable")
    assert how.split()[0] in answer.body["message"]
    assert APIKey.objects.count() == before


def test_of_many_at_once_one_rotates(committed_tenant: Tenant) -> None:
    key_id = made(committed_tenant)["key_id"]
    before = APIKey.objects.count()
    answers = at_once([lambda: rotate(committed_tenant, key_id)] * 8)
    assert Counter(answer.status for answer in answers) == {201: 1, 409: 7}
    assert APIKey.objects.count() == before + 1


def test_a_rotation_and_a_deactivation_at_once_leave_the_old_one_dead(
    committed_tenant: Tenant,
) -> None:
    old = made(committed_tenant)
    shop = committed_tenant.api.with_key(old["api_key"])
    rotated, deactivated = at_once(
        [
            lambda: rotate(committed_tenant, old["key_id"]),
            lambda: committed_tenant.api.post(f"{KEYS}{old['key_id']}/deactivate/"),
        ]
    )
    assert rotated.status in {201, 409}
    assert deactivated.status == 200
    assert shop.get(ME).error == INVALID


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"overlap_seconds": -1}, "overlap_seconds"),
        ({"overlap_seconds": OVERLAP_MOST + 1}, "overlap_seconds"),
        ({"overlap_seconds": 1.5}, "overlap_seconds"),
        ({"overlap_seconds": "60"}, "overlap_seconds"),
        ({"overlap_seconds": True}, "overlap_seconds"),
        ({"name": "another"}, "name"),
        ({"scopes": ["admin"]}, "scopes"),
    ],
)
def test_a_bad_body_is_400(tenant: Tenant, body: dict[str, Any], named: str) -> None:
    key_id = made(tenant)["key_id"]
    answer = rotate(tenant, key_id, body)
    assert (answer.error, list(answer.details)) == ((400, "validation_error"), [named])
    assert APIKey.objects.get(pk=key_id).replaced_by is None


@pytest.mark.django_db
def test_anothers_and_unknown_keys_are_404(tenant: Tenant, other_tenant: Tenant) -> None:
    others = APIKey.objects.filter(organization=other_tenant.organization).first()
    assert others is not None
    for key_id in (others.pk, ids.new_id(ids.API_KEY), "1"):
        assert rotate(tenant, key_id).error == (404, "api_key_not_found")
    others.refresh_from_db()
    assert others.replaced_by is None


@pytest.mark.django_db
@pytest.mark.parametrize("what", ["rotate", "deactivate"])
def test_a_test_key_decides_about_test_keys_alone(tenant: Tenant, what: str) -> None:
    live = APIKey.objects.get(prefix=tenant.api.key[:19])
    refused = tenant.test_api.post(f"{KEYS}{live.pk}/{what}/")
    assert refused.error == (403, "live_key_required")
    live.refresh_from_db()
    assert live.is_active
    assert not live.replaced_by_id
    test, _ = create_api_key(tenant.organization, mode=Mode.TEST)
    assert tenant.test_api.post(f"{KEYS}{test.pk}/{what}/").status in {200, 201}


@pytest.mark.django_db
def test_the_new_key_is_shown_even_where_the_cache_cannot_be_told(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error would lose it for good."""
    key_id = made(tenant)["key_id"]

    def fail(*_arguments: object) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr(key_records, "write", fail)
    answer = rotate(tenant, key_id, {"overlap_seconds": 0})
    assert answer.status == 201
    assert "up to 60 seconds longer" in answer.body["message"]
    assert tenant.api.with_key(answer.data["api_key"]).get(ME).status == 200
