"""Users through the API: created, fetched, listed, searched, changed, erased."""

import re
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from pytest_django import DjangoAssertNumQueries

from user_service.tests.calls import Api, user_path
from user_service.users.models import Device, User

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

USERS = "/api/v1/users/"
# The body of reference 003, as it stands there.
REFERENCE: dict[str, Any] = {
    "email": "fresh_test_user@example.com",
    "name": "Fresh Test User",
    "password": "securepassword123",
    "push_token": "token_fresh_test",
    "preferences": {"email": True, "push": False},
}
SHAPE = {
    "user_id",
    "external_id",
    "email",
    "name",
    "phone_number",
    "push_token",
    "language",
    "timezone",
    "attributes",
    "preferences",
    "created_at",
    "updated_at",
}


def test_the_body_of_the_reference_creates_a_user(api: Api) -> None:
    answer = api.post(USERS, REFERENCE)
    assert answer.status == 201
    assert answer.body["success"] is True
    assert answer.body["meta"]["total"] == 1
    user = answer.data
    assert set(user) == SHAPE
    assert re.fullmatch(r"user_[0-9a-f]{32}", user["user_id"])
    assert user["email"] == "fresh_test_user@example.com"
    assert user["name"] == "Fresh Test User"
    assert user["push_token"] == "token_fresh_test"
    assert user["preferences"] == {"email": True, "sms": True, "whatsapp": True, "push": False}
    assert user["created_at"].endswith("Z")
    assert api.get(user_path(user["user_id"])).data == user


def test_what_is_not_known_is_null(api: Api) -> None:
    user = api.create(phone_number="+44 7700 900123")
    assert user["phone_number"] == "+447700900123"
    for field in ("external_id", "email", "push_token", "language", "timezone"):
        assert user[field] is None
    assert user["name"] == ""
    assert user["attributes"] == {}


def test_values_are_stored_in_one_form(api: Api) -> None:
    user = api.create(
        email="Jane.Doe@EXAMPLE.com",
        name="  Jane Doe ",
        phone_number="+1 (415) 555-2671",
        language="PT-br",
        timezone="America/Sao_Paulo",
        attributes={"plan": "gold", "none": None, "deep": {"list": [1, None]}},
    )
    assert user["email"] == "Jane.Doe@example.com"
    assert user["name"] == "Jane Doe"
    assert user["phone_number"] == "+14155552671"
    assert user["language"] == "pt-BR"
    assert user["attributes"] == {"plan": "gold", "deep": {"list": [1, None]}}


def test_a_password_is_hashed_and_never_shown(api: Api) -> None:
    answer = api.post(USERS, {"email": "a@example.com", "password": "securepassword123"})
    assert "securepassword123" not in str(answer.body)
    user = User.objects.get()
    assert user.password.startswith("pbkdf2_sha256$")
    assert check_password("securepassword123", user.password)
    path = user_path(user.id)
    assert api.patch(path, {"name": "Jane"}).status == 200
    user.refresh_from_db()
    assert check_password("securepassword123", user.password)
    assert api.patch(path, {"password": "another password"}).status == 200
    user.refresh_from_db()
    assert check_password("another password", user.password)
    assert api.patch(path, {"password": None}).status == 200
    user.refresh_from_db()
    assert user.password == ""


def test_a_user_answers_to_the_clients_own_id(api: Api) -> None:
    user = api.create(external_id="auth0|4711:eu", email="jane@example.com")
    assert api.get(user_path("auth0|4711:eu")).data == user
    assert api.patch(user_path("auth0|4711:eu"), {"name": "Jane"}).status == 200
    assert api.get(user_path("auth0|4711:eu", "preferences/")).status == 200
    assert api.delete(user_path("auth0|4711:eu")).data == {"user_id": user["user_id"]}


@pytest.mark.parametrize(
    ("field", "first", "second"),
    [
        ("email", "jane@example.com", "jane@example.com"),
        ("email", "jane@example.com", "JANE@Example.com"),
        ("email", "jane@münchen.de", "jane@xn--mnchen-3ya.de"),
        ("external_id", "customer-1", "customer-1"),
    ],
)
def test_a_duplicate_is_409_and_named(api: Api, field: str, first: str, second: str) -> None:
    api.create(**{field: first})
    again = api.post(USERS, {field: second})
    assert again.error == (409, "user_exists")
    assert list(again.details) == [field]
    other = api.create(phone_number="+447700900123")
    change = api.patch(user_path(other["user_id"]), {field: second, "name": "Joe"})
    assert change.error == (409, "user_exists")
    assert list(change.details) == [field]
    assert api.get(user_path(other["user_id"])).data == other


def test_organizations_may_know_the_same_person(api: Api, other_api: Api) -> None:
    body = {"email": "jane@example.com", "external_id": "customer-1", "push_token": "token"}
    mine, theirs = api.create(**body), other_api.create(**body)
    assert mine["user_id"] != theirs["user_id"]
    assert api.get(user_path("customer-1")).data == mine
    assert other_api.get(user_path("customer-1")).data == theirs


def test_many_users_may_have_no_email_and_no_external_id(api: Api) -> None:
    api.create(phone_number="+447700900123")
    api.create(phone_number="+447700900123")
    assert api.get(USERS).body["meta"]["total"] == 2


def test_creating_for_an_unknown_organization_is_404(db: None) -> None:
    answer = Api().post(USERS, {"email": "a@example.com"})
    assert answer.error == (404, "organization_not_found")


def test_a_change_touches_only_what_it_names(api: Api) -> None:
    before = api.create(
        external_id="customer-1",
        email="jane@example.com",
        attributes={"plan": "gold", "city": "Leeds"},
        preferences={"sms": False},
    )
    answer = api.patch(
        user_path("customer-1"),
        {
            "name": "Updated Mock User Name",
            "push_token": "token_updated_mock_user",
            "attributes": {"city": None, "age": 44},
            "preferences": {"push": False, "sms": None},
        },
    )
    assert answer.status == 200
    assert answer.data == {
        **before,
        "name": "Updated Mock User Name",
        "push_token": "token_updated_mock_user",
        "attributes": {"plan": "gold", "age": 44},
        "preferences": {"email": True, "sms": True, "whatsapp": True, "push": False},
        "updated_at": answer.data["updated_at"],
    }
    assert answer.data["updated_at"] > before["updated_at"]


def test_null_takes_a_field_back_to_not_known(api: Api) -> None:
    user = api.create(
        external_id="customer-1",
        email="jane@example.com",
        name="Jane",
        phone_number="+447700900123",
        push_token="token",
        language="en",
        timezone="UTC",
        attributes={"plan": "gold"},
    )
    nothing: dict[str, Any] = {
        "external_id": None,
        "email": None,
        "name": None,
        "phone_number": None,
        "push_token": None,
        "language": None,
        "timezone": None,
        "attributes": None,
    }
    answer = api.patch(user_path("customer-1"), nothing)
    expected = {**nothing, "name": "", "attributes": {}}
    assert {field: answer.data[field] for field in nothing} == expected
    assert Device.objects.count() == 0
    assert api.get(user_path("customer-1")).status == 404
    assert api.get(user_path(user["user_id"])).status == 200


def test_merged_attributes_have_a_bound_too(api: Api) -> None:
    user = api.create(email="a@example.com", attributes={"a": "x" * 10_000})
    answer = api.patch(user_path(user["user_id"]), {"attributes": {"b": "x" * 10_000}})
    assert answer.error == (400, "validation_error")
    assert list(answer.details) == ["attributes"]


def test_erasing_leaves_nothing(api: Api) -> None:
    user = api.create(**REFERENCE, external_id="customer-1")
    assert api.delete(user_path(user["user_id"])).data == {"user_id": user["user_id"]}
    assert User.objects.count() == 0
    assert Device.objects.count() == 0
    for identifier in (user["user_id"], "customer-1"):
        assert api.get(user_path(identifier)).error == (404, "user_not_found")
        assert api.delete(user_path(identifier)).error == (404, "user_not_found")
    again = api.create(**REFERENCE, external_id="customer-1")
    assert again["user_id"] != user["user_id"]


def test_the_list_has_pages_with_the_newest_first(api: Api) -> None:
    made = [api.create(email=f"user{n}@example.com")["user_id"] for n in range(5)]
    first = api.get(f"{USERS}?limit=2")
    assert [user["user_id"] for user in first.data] == [made[4], made[3]]
    assert first.body["meta"] == {
        "total": 5,
        "limit": 2,
        "page": 1,
        "total_pages": 3,
        "has_next": True,
        "has_previous": False,
    }
    last = api.get(f"{USERS}?limit=2&page=3")
    assert [user["user_id"] for user in last.data] == [made[0]]
    assert last.body["meta"]["has_next"] is False
    assert api.get(f"{USERS}?page=100").data == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("jane", {"jane"}),
        ("JANE", {"jane"}),
        ("doe", {"jane", "joe"}),
        ("joe@other", {"joe"}),
        ("%2B4477", {"joe"}),
        ("4711", {"jane"}),
        ("%25", set()),
        ("_", set()),
        ("nobody", set()),
        ("%20", {"jane", "joe"}),
    ],
)
def test_search_finds_by_any_name_or_address(api: Api, text: str, found: set[str]) -> None:
    api.create(email="jane@example.com", name="Jane Doe", external_id="customer-4711")
    api.create(email="joe@other.example.com", name="Joe Doe", phone_number="+447700900123")
    answer = api.get(f"{USERS}?search={text}")
    assert {user["email"].partition("@")[0] for user in answer.data} == found
    assert answer.body["meta"]["total"] == len(found)


def test_search_finds_by_a_whole_user_id(api: Api) -> None:
    user = api.create(email="jane@example.com")
    api.create(email="joe@example.com")
    assert api.get(f"{USERS}?search={user['user_id']}").data == [user]


@pytest.mark.parametrize("count", [3, 30])
def test_listing_takes_four_queries_however_many_users(
    api: Api, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(count):
        api.create(email=f"user{n}@example.com", push_token=f"token-{n}")
    with django_assert_num_queries(4):
        answer = api.get(f"{USERS}?limit=100&search=example")
    assert len(answer.data) == count
    assert all(user["push_token"] for user in answer.data)


def test_fetching_one_takes_three_queries(
    api: Api, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    user = api.create(email="jane@example.com", push_token="token")
    with django_assert_num_queries(3):
        assert api.get(user_path(user["user_id"])).status == 200


def test_a_batch_gives_each_user_once_in_order_and_says_who_is_missing(
    api: Api, other_api: Api
) -> None:
    jane = api.create(email="jane@example.com", external_id="jane")
    joe = api.create(email="joe@example.com")
    stranger = other_api.create(email="x@example.com", external_id="stranger")
    wanted = [
        *(joe["user_id"], "jane", jane["user_id"], "nobody", stranger["user_id"]),
        *("stranger", "", "nobody", "user_" + "0" * 32),
    ]
    answer = api.post(USERS + "batch/", {"user_ids": wanted})
    assert answer.status == 200
    assert answer.data["users"] == [joe, jane]
    assert answer.data["not_found"] == [
        *("nobody", stranger["user_id"], "stranger", "", "user_" + "0" * 32)
    ]
    assert answer.body["meta"]["total"] == 2


@pytest.mark.parametrize(("path", "count"), [(USERS + "batch/", 3), ("/internal/users/batch/", 3)])
def test_a_batch_of_a_thousand_takes_as_many_queries_as_one(
    api: Api, path: str, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    User.objects.bulk_create(
        User(
            organization_id=api.organization_id,
            external_id=f"customer-{n}",
            email=f"user{n}@example.com",
        )
        for n in range(1000)
    )
    wanted = [f"customer-{n}" for n in range(1000)]
    with django_assert_num_queries(count):
        answer = api.post(path, {"user_ids": wanted})
    users = answer.body.get("data", answer.body)["users"]
    assert [user["external_id"] for user in users] == wanted


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", USERS),
        ("DELETE", USERS),
        ("GET", USERS + "batch/"),
        ("POST", user_path("customer-1")),
        ("POST", user_path("customer-1", "preferences/")),
    ],
)
def test_a_method_that_is_not_there_is_405(api: Api, method: str, path: str) -> None:
    assert api.call(method, path, {}).error == (405, "method_not_allowed")


def test_putting_creates_and_then_changes_the_user_of_an_external_id(api: Api) -> None:
    path = user_path("customer-1")
    created = api.call("PUT", path, {"email": "jane@example.com", "name": "Jane"})
    assert created.status == 201
    assert created.data["external_id"] == "customer-1"
    changed = api.call("PUT", path, {"name": "Jane Doe", "external_id": "customer-1"})
    assert changed.status == 200
    assert changed.data == {
        **created.data,
        "name": "Jane Doe",
        "updated_at": changed.data["updated_at"],
    }
    assert User.objects.count() == 1
    bare = api.call("PUT", user_path("customer-2"), {})
    assert (bare.status, bare.data["external_id"]) == (201, "customer-2")


def test_putting_by_our_own_id_only_changes(api: Api) -> None:
    user = api.create(email="jane@example.com")
    changed = api.call("PUT", user_path(user["user_id"]), {"name": "Jane"})
    assert (changed.status, changed.data["name"]) == (200, "Jane")
    missing = api.call("PUT", user_path("user_" + "0" * 32), {"name": "Jane"})
    assert missing.error == (404, "user_not_found")


@pytest.mark.parametrize(
    ("identifier", "body", "error"),
    [
        ("customer-1", {"external_id": "customer-2"}, (400, "validation_error")),
        ("customer-1", {"email": "taken@example.com"}, (409, "user_exists")),
        ("batch", {}, (405, "method_not_allowed")),
        ("a%20b", {}, (400, "validation_error")),
    ],
)
def test_putting_what_cannot_be_is_refused(
    api: Api, identifier: str, body: object, error: tuple[int, str]
) -> None:
    api.create(email="taken@example.com")
    assert api.call("PUT", user_path(identifier), body).error == error
    assert User.objects.count() == 1
