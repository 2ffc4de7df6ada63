"""Changes at the same moment, in real transactions on connections of their own."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from carillon.record_cache import user_cache
from carillon.redis_client import connect
from user_service.tests.calls import Answer, Api, user_path
from user_service.tests.waiting import PATIENCE, until_somebody_waits
from user_service.users.models import Device, User
from user_service.users.services.changes import lock_user, publish

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

USERS = "/api/v1/users/"


@pytest.fixture
def api(committed_api: Api) -> Api:
    return committed_api


def at_once(calls: list[Callable[[], Answer]]) -> list[Answer]:
    """Make all calls, each in a thread, released together."""
    barrier = threading.Barrier(len(calls))
    answers: list[Answer | None] = [None] * len(calls)

    def make(n: int) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(PATIENCE)
            answers[n] = calls[n]()
        finally:
            connection.close()

    threads = [threading.Thread(target=make, args=(n,)) for n in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    made = [answer for answer in answers if answer is not None]
    assert len(made) == len(calls)
    return made


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"email": "jane@example.com"}, {"email": "JANE@example.com"}),
        ({"external_id": "customer-1"}, {"external_id": "customer-1"}),
    ],
)
def test_of_two_simultaneous_creates_one_is_201_and_one_409(
    api: Api, first: dict[str, str], second: dict[str, str]
) -> None:
    for _ in range(5):
        answers = at_once([lambda: api.post(USERS, first), lambda: api.post(USERS, second)])
        assert sorted(answer.status for answer in answers) == [201, 409]
        (refused,) = [answer for answer in answers if answer.status == 409]
        assert refused.error == (409, "user_exists")
        assert list(refused.details) == list(first)
        assert User.objects.count() == 1
        User.objects.all().delete()


def test_simultaneous_changes_of_different_fields_are_all_kept(api: Api) -> None:
    user_id = api.create(email="jane@example.com")["user_id"]
    preferences = user_path(user_id, "preferences/")
    answers = at_once(
        [
            lambda: api.patch(user_path(user_id), {"name": "Jane"}),
            lambda: api.patch(user_path(user_id), {"attributes": {"plan": "gold"}}),
            lambda: api.patch(preferences, {"preferences": {"sms": False}}),
            lambda: api.patch(preferences, {"preferences": {"push": False}}),
            lambda: api.post(user_path(user_id, "devices/"), {"platform": "fcm", "token": "a"}),
            lambda: api.post(user_path(user_id, "devices/"), {"platform": "fcm", "token": "b"}),
        ]
    )
    assert {answer.status for answer in answers} <= {200, 201}
    user = api.get(user_path(user_id)).data
    assert user["name"] == "Jane"
    assert user["attributes"] == {"plan": "gold"}
    assert user["preferences"] == {"email": True, "sms": False, "whatsapp": True, "push": False}
    assert Device.objects.count() == 2


def test_the_cache_ends_with_what_the_database_has(api: Api, redis_url: str) -> None:
    user_id = api.create(external_id="jane", email="jane@example.com")["user_id"]
    for n in range(4):
        at_once(
            [
                lambda n=n: api.patch(user_path("jane"), {"name": f"Jane {n}a"}),  # type: ignore[misc]
                lambda n=n: api.patch(user_path(user_id), {"name": f"Jane {n}b"}),  # type: ignore[misc]
                lambda: api.get("/internal/users/jane/"),
                lambda: api.get(f"/internal/users/{user_id}/"),
            ]
        )
        stored = User.objects.get()
        with connect(redis_url) as client:
            for name in (user_id, "jane"):
                cached = user_cache(client).read(api.organization_id, name)
                assert cached is not None
                assert cached.record is not None
                assert (cached.record.name, cached.record.revision) == (
                    stored.name,
                    stored.revision,
                )


def test_two_users_swapping_tokens_do_not_wait_for_each_other_forever(api: Api) -> None:
    jane = api.create(email="jane@example.com", push_token="one")["user_id"]
    joe = api.create(email="joe@example.com", push_token="two")["user_id"]
    for _ in range(5):
        answers = at_once(
            [
                lambda: api.post(user_path(jane, "devices/"), {"platform": "fcm", "token": "two"}),
                lambda: api.post(user_path(joe, "devices/"), {"platform": "fcm", "token": "one"}),
                lambda: api.patch(user_path(jane), {"push_token": "two"}),
                lambda: api.patch(user_path(joe), {"push_token": "one"}),
            ]
        )
        assert {answer.status for answer in answers} <= {200, 201}
        assert Device.objects.filter(token="two").get().user_id == jane
        assert Device.objects.filter(token="one").get().user_id == joe
        at_once(
            [
                lambda: api.patch(user_path(jane), {"push_token": "one"}),
                lambda: api.patch(user_path(joe), {"push_token": "two"}),
            ]
        )


def test_of_many_users_claiming_one_token_the_last_has_it_alone(api: Api) -> None:
    users = [api.create(email=f"user{n}@example.com")["user_id"] for n in range(6)]
    device = {"platform": "fcm", "token": "shared"}
    answers = at_once(
        [
            lambda user=user: api.post(user_path(user, "devices/"), device)  # type: ignore[misc]
            for user in users
        ]
    )
    assert {answer.status for answer in answers} == {201}
    assert Device.objects.count() == 1
    holding = [user for user in users if api.get(user_path(user)).data["push_token"]]
    assert holding == [Device.objects.get().user_id]


def test_taking_over_a_name_while_it_is_given_up_has_the_higher_revision(
    api: Api, redis_url: str
) -> None:
    """The insert waits for the other transaction after its own first revision was drawn."""
    api.create(external_id="name", email="jane@example.com")
    created: list[Answer] = []

    def take_over() -> None:
        try:
            created.append(api.post(USERS, {"external_id": "name"}))
        finally:
            connection.close()

    with transaction.atomic():
        holder = lock_user(api.organization_id, "name")
        User.objects.filter(id=holder.id).update(external_id="")
        thread = threading.Thread(target=take_over)
        thread.start()
        until_somebody_waits()
        holder.external_id = ""
        publish(holder, "updated", former_names=("name",))
    thread.join(PATIENCE)
    assert created[0].status == 201
    with connect(redis_url) as client:
        cached = user_cache(client).read(api.organization_id, "name")
    assert cached is not None
    assert cached.record is not None
    assert cached.record.user_id == created[0].data["user_id"]


def test_of_two_simultaneous_puts_both_succeed_on_one_user(api: Api) -> None:
    for n in range(5):
        path = user_path(f"customer-{n}")
        answers = at_once(
            [
                lambda: api.call("PUT", path, {"name": "Jane"}),  # noqa: B023
                lambda: api.call("PUT", path, {"language": "en"}),  # noqa: B023
            ]
        )
        assert sorted(answer.status for answer in answers) == [200, 201]
        user = api.get(path).data
        assert (user["name"], user["language"]) == ("Jane", "en")
