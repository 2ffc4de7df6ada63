"""The cache of keys: fast, and never a way to stay alive."""

import threading
from dataclasses import replace
from typing import Any

import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext

from carillon.redis_client import connect
from gateway.connections import redis_client
from gateway.organizations import key_records, selectors
from gateway.organizations.models import APIKey
from gateway.organizations.services import (
    CacheNotTold,
    deactivate_api_key,
    save_api_key,
    save_organization,
)
from gateway.tests.calls import Api
from gateway.tests.conftest import Tenant, forget_connections

pytestmark = pytest.mark.integration

ME = "/api/v1/organizations/me/"


def stored_key(api: Api) -> APIKey:
    return APIKey.objects.get(prefix=api.key[:19])


def test_the_second_request_needs_no_database(committed_tenant: Tenant) -> None:
    assert committed_tenant.api.send({}).error == (400, "missing_fields")
    with CaptureQueriesContext(connection) as queries:
        assert committed_tenant.api.send({}).error == (400, "missing_fields")
    assert list(queries) == []


def test_a_deactivated_key_fails_on_the_very_next_request(committed_tenant: Tenant) -> None:
    api = committed_tenant.api
    assert api.get(ME).status == 200
    deactivate_api_key(stored_key(api))
    assert api.get(ME).error == (401, "invalid_api_key")
    forget_connections()
    assert api.get(ME).error == (401, "invalid_api_key")


def test_a_slow_reader_cannot_bring_a_deactivated_key_back(committed_tenant: Tenant) -> None:
    api = committed_tenant.api
    read_before = selectors.key_record(api.key[:19])
    assert read_before is not None
    deactivate_api_key(stored_key(api))
    key_records.write(redis_client(), read_before)
    assert api.get(ME).error == (401, "invalid_api_key")


def test_deactivation_wins_against_requests_that_are_under_way(committed_tenant: Tenant) -> None:
    """Readers write the cache all the time: none of them may undo the deactivation."""
    api = committed_tenant.api
    stop = threading.Event()

    def use() -> None:
        while not stop.is_set():
            api.get(ME)
            record = selectors.key_record(api.key[:19])
            assert record is not None
            key_records.write(redis_client(), record)
        connection.close()

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        deactivate_api_key(stored_key(api))
        answers = {api.get(ME).error for _ in range(100)}
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert answers == {(401, "invalid_api_key")}


def test_changes_of_key_and_organization_hold_at_once(committed_tenant: Tenant) -> None:
    tenant = committed_tenant
    assert tenant.api.get(ME).data["plan"] == "pro"
    tenant.organization.plan = "free"
    save_organization(tenant.organization)
    assert tenant.api.get(ME).data["plan"] == "free"
    assert '"minute";q=60;w=60' in tenant.api.get(ME).headers["RateLimit-Policy"]
    key = stored_key(tenant.api)
    key.scopes = ["users"]
    save_api_key(key)
    assert tenant.api.get("/api/v1/notifications/").error == (403, "insufficient_scope")


def test_every_change_raises_the_revision(committed_tenant: Tenant) -> None:
    key = stored_key(committed_tenant.api)
    revisions = [key.revision]
    save_api_key(key)
    revisions.append(stored_key(committed_tenant.api).revision)
    save_organization(committed_tenant.organization)
    revisions.append(stored_key(committed_tenant.api).revision)
    deactivate_api_key(key)
    revisions.append(stored_key(committed_tenant.api).revision)
    assert revisions == sorted(set(revisions))


def test_who_only_knows_the_prefix_does_not_use_up_the_limit(committed_tenant: Tenant) -> None:
    api = committed_tenant.api
    before = api.get(ME).headers["RateLimit"]
    stranger = api.with_key(api.key[:-4] + "AAAA")
    for _ in range(20):
        assert stranger.get(ME).error == (401, "invalid_api_key")
    after = api.get(ME).headers["RateLimit"]
    assert _remaining(before) - _remaining(after) <= 1


def test_a_stolen_key_that_was_deactivated_does_not_use_up_the_limit(
    committed_tenant: Tenant,
) -> None:
    tenant = committed_tenant
    stolen = tenant.api
    stolen.get(ME)
    deactivate_api_key(stored_key(stolen))
    before = _remaining(tenant.test_api.get(ME).headers["RateLimit"])
    for _ in range(20):
        assert stolen.get(ME).status == 401
    assert before - _remaining(tenant.test_api.get(ME).headers["RateLimit"]) <= 1


def test_an_entry_of_another_release_is_replaced(committed_tenant: Tenant) -> None:
    api = committed_tenant.api
    api.get(ME)
    key = key_records.cache_key(api.key[:19])
    redis_client().hset(key, "record", b'{"from": "the future"}')
    assert api.get(ME).status == 200
    assert b"the future" not in (redis_client().hget(key, "record") or b"")


def test_an_unreachable_cache_is_told_to_who_deactivates(
    committed_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database has it; the client learns that it may take a minute, and may repeat."""
    key = stored_key(committed_tenant.api)
    unreachable = connect("redis://127.0.0.1:1/0", timeout=0.2)
    monkeypatch.setattr("gateway.organizations.services.redis_client", lambda: unreachable)
    with pytest.raises(CacheNotTold, match="60 seconds"):
        deactivate_api_key(key)
    assert not stored_key(committed_tenant.api).is_active
    monkeypatch.undo()
    deactivate_api_key(key)
    assert committed_tenant.api.get(ME).error == (401, "invalid_api_key")


def test_without_redis_the_database_decides(committed_tenant: Tenant, settings: Any) -> None:
    api = committed_tenant.api
    settings.CARILLON = replace(settings.CARILLON, redis_url="redis://127.0.0.1:1/0")
    forget_connections()
    with pytest.raises(redis.ConnectionError):
        redis_client().ping()
    assert api.get(ME).status == 200
    APIKey.objects.filter(prefix=api.key[:19]).update(is_active=False)
    assert api.get(ME).error == (401, "invalid_api_key")


def _remaining(header: str) -> int:
    return int(header.split("r=")[1].split(";")[0])
