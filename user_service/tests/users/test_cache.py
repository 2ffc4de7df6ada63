"""The gateway's cache: written on reads and after commits, never with what is older."""

import msgspec
import pytest

from carillon.contracts.records import UserRecord
from carillon.record_cache import user_cache
from carillon.redis_client import connect
from user_service.tests.calls import Api, user_path
from user_service.tests.gateway import Gateway
from user_service.users import cache as own_cache
from user_service.users.models import User
from user_service.users.records import records_of
from user_service.users.selectors import find_user

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def api(committed_api: Api) -> Api:
    return committed_api


def test_a_new_user_is_cached_under_each_name(api: Api, gateway: Gateway) -> None:
    user = api.create(
        external_id="customer-1",
        email="jane@example.com",
        name="Jane",
        push_token="phone",
        preferences={"push": False},
        attributes={"plan": "gold"},
    )
    cached = gateway.user(api, user["user_id"])
    assert cached == gateway.user(api, "customer-1")
    assert cached.user_id == user["user_id"]
    assert cached.email == "jane@example.com"
    assert cached.preferences == {"push": False}
    assert cached.attributes == {"plan": "gold"}
    assert [device.token for device in cached.devices] == ["phone"]
    assert cached.revision > 0


def test_a_preference_change_is_seen_by_the_next_cache_read(api: Api, gateway: Gateway) -> None:
    user_id = api.create(external_id="customer-1", email="jane@example.com")["user_id"]
    before = gateway.user(api, user_id)
    path = user_path(user_id, "preferences/")
    api.patch(path, {"preferences": {"email": False}, "categories": {"news": {"push": False}}})
    for name in (user_id, "customer-1"):
        after = gateway.user(api, name)
        assert after.preferences["email"] is False
        assert after.categories == {"news": {"push": False}}
        assert after.revision > before.revision


def test_an_old_reader_cannot_bring_stale_content_back(api: Api, gateway: Gateway) -> None:
    user_id = api.create(external_id="customer-1", email="jane@example.com")["user_id"]
    slow_reader = records_of(api.organization_id, [find_user(api.organization_id, user_id)])
    api.patch(user_path(user_id), {"email": "new@example.com", "push_token": "phone"})
    own_cache.keep(api.organization_id, slow_reader)
    for name in (user_id, "customer-1"):
        assert gateway.user(api, name).email == "new@example.com"


def test_an_old_reader_cannot_bring_an_erased_user_back(api: Api, gateway: Gateway) -> None:
    user_id = api.create(external_id="customer-1", email="jane@example.com")["user_id"]
    slow_reader = records_of(api.organization_id, [find_user(api.organization_id, user_id)])
    api.delete(user_path(user_id))
    own_cache.keep(api.organization_id, slow_reader)
    for name in (user_id, "customer-1"):
        assert gateway.entry(api, name).record is None


def test_a_changed_external_id_leaves_absence_behind(api: Api, gateway: Gateway) -> None:
    user_id = api.create(external_id="old", email="jane@example.com")["user_id"]
    api.patch(user_path("old"), {"external_id": "new"})
    assert gateway.entry(api, "old").record is None
    assert gateway.user(api, "new").user_id == user_id
    taken_over = api.create(external_id="old", email="joe@example.com")["user_id"]
    assert gateway.user(api, "old").user_id == taken_over
    api.patch(user_path("new"), {"external_id": None})
    assert gateway.entry(api, "new").record is None
    assert gateway.user(api, user_id).external_id == ""


def test_a_moved_token_is_gone_from_its_former_owners_entry(api: Api, gateway: Gateway) -> None:
    jane = api.create(email="jane@example.com", push_token="shared")["user_id"]
    joe = api.create(email="joe@example.com")["user_id"]
    device = {"platform": "fcm", "token": "shared"}
    assert api.post(user_path(joe, "devices/"), device).status == 201
    assert gateway.user(api, jane).devices == ()
    assert [found.token for found in gateway.user(api, joe).devices] == ["shared"]
    (registered,) = api.get(user_path(joe, "devices/")).data
    api.delete(user_path(joe, f"devices/{registered['device_id']}/"))
    assert gateway.user(api, joe).devices == ()


def test_an_internal_read_is_the_bare_record_and_fills_the_cache(
    api: Api, gateway: Gateway
) -> None:
    user = api.create(external_id="customer-1", email="jane@example.com", push_token="phone")
    gateway.client.flushdb()
    answer = api.get("/internal/users/customer-1/")
    assert answer.status == 200
    assert set(answer.body) == set(UserRecord.__struct_fields__)
    assert answer.body["user_id"] == user["user_id"]
    assert answer.body["revision"] == User.objects.get().revision
    assert answer.body["devices"][0]["token"] == "phone"
    for name in (user["user_id"], "customer-1"):
        assert msgspec.to_builtins(gateway.user(api, name)) == {
            **answer.body,
            "devices": tuple(answer.body["devices"]),
        }


def test_many_records_at_once_are_bare_too(api: Api) -> None:
    user = api.create(external_id="customer-1", email="jane@example.com")
    answer = api.post("/internal/users/batch/", {"user_ids": ["nobody", user["user_id"]]})
    assert answer.status == 200
    assert answer.body["not_found"] == ["nobody"]
    assert answer.body["users"] == [api.get("/internal/users/customer-1/").body]


def test_an_unknown_user_is_404_and_is_not_cached(api: Api, gateway: Gateway) -> None:
    assert api.get("/internal/users/nobody/").error == (404, "user_not_found")
    assert not gateway.has_user(api, "nobody")


def test_a_refused_change_tells_the_cache_nothing(api: Api, gateway: Gateway) -> None:
    api.create(email="joe@example.com")
    user_id = api.create(email="jane@example.com")["user_id"]
    before = gateway.user(api, user_id)
    change = {"email": "joe@example.com", "name": "Joe", "push_token": "phone"}
    assert api.patch(user_path(user_id), change).status == 409
    assert gateway.user(api, user_id) == before


def test_every_change_has_a_higher_revision(api: Api) -> None:
    user_id = api.create(email="jane@example.com")["user_id"]
    seen = [User.objects.get().revision]
    for n in range(3):
        api.patch(user_path(user_id), {"name": f"Jane {n}"})
        seen.append(User.objects.get().revision)
    api.delete(user_path(user_id))
    api.create(email="jane@example.com")
    seen.append(User.objects.get().revision)
    assert seen == sorted(set(seen))


def test_without_redis_everything_but_the_cache_works(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect("redis://127.0.0.1:1/0", timeout=0.2) as nowhere:
        broken = user_cache(nowhere)
        monkeypatch.setattr(own_cache, "cache", lambda: broken)
        user_id = api.create(external_id="customer-1", email="jane@example.com")["user_id"]
        assert api.patch(user_path(user_id), {"name": "Jane"}).status == 200
        assert api.get("/internal/users/customer-1/").body["name"] == "Jane"
        assert api.delete(user_path(user_id)).status == 200
