"""What an organization decides: defaults of channels, categories, caps; and who it is for."""

from typing import Any

import pytest

from user_service.tests.calls import Api, user_path
from user_service.tests.gateway import Gateway

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

DEFAULTS = "/api/v1/preference-defaults/"
CATEGORIES = "/api/v1/categories/"
ALL_ON = {"email": True, "sms": True, "whatsapp": True, "push": True}
MARKETING = {
    "code": "marketing",
    "name": "Offers",
    "description": "Now and then.",
    "preferences": {"sms": False},
    "frequency_cap": {"limit": 2, "seconds": 86_400},
}


def preferences(api: Api, user: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.get(user_path(user["user_id"], "preferences/")).data
    return found


def test_an_organization_that_decided_nothing_has_the_defaults(api: Api) -> None:
    assert api.get(DEFAULTS).data == {"preferences": ALL_ON}
    listed = api.get(CATEGORIES)
    assert [category["code"] for category in listed.data] == ["otp", "security", "transactional"]
    assert all(category["essential"] and category["built_in"] for category in listed.data)
    assert listed.body["meta"]["total"] == 3
    record = api.get("/internal/policy/")
    assert record.status == 200
    assert record.body["organization_id"] == api.organization_id
    assert record.body["categories"]["otp"]["essential"] is True


def test_a_default_holds_for_who_said_nothing(api: Api, other_api: Api) -> None:
    silent = api.create(email="silent@example.com")
    wants = api.create(email="wants@example.com", preferences={"sms": True})
    answer = api.patch(DEFAULTS, {"preferences": {"sms": False}})
    assert answer.data == {"preferences": {**ALL_ON, "sms": False}}
    assert api.get(DEFAULTS).data == answer.data
    assert preferences(api, silent)["preferences"]["sms"] is False
    assert preferences(api, wants)["preferences"]["sms"] is True
    assert api.get(user_path(silent["user_id"])).data["preferences"]["sms"] is False
    # The gateway applies the policy of the moment to what the user said.
    assert api.get(f"/internal/users/{silent['user_id']}/").body["preferences"] == {}
    assert api.get(f"/internal/users/{wants['user_id']}/").body["preferences"] == {"sms": True}
    assert api.get("/internal/policy/").body["preferences"] == {"sms": False}
    listed = api.get("/api/v1/users/").data
    assert [user["preferences"]["sms"] for user in listed] == [True, False]
    stranger = other_api.create(email="stranger@example.com")
    assert stranger["preferences"] == ALL_ON
    api.patch(DEFAULTS, {"preferences": {"sms": None}})
    assert preferences(api, silent)["preferences"] == ALL_ON


def test_a_category_is_created_changed_and_deleted(api: Api) -> None:
    created = api.post(CATEGORIES, MARKETING)
    assert created.status == 201
    assert created.data == {**MARKETING, "essential": False, "built_in": False}
    path = CATEGORIES + "marketing/"
    assert api.get(path).data == created.data
    change = {"name": "Offers and news", "frequency_cap": None, "preferences": {"sms": None}}
    changed = api.patch(path, change)
    assert changed.data == {**created.data, **change, "preferences": {}}
    assert api.get(CATEGORIES).data[0] == changed.data
    assert api.delete(path).data == {"code": "marketing"}
    assert api.get(path).error == (404, "category_not_found")
    assert api.patch(path, {"name": "x"}).error == (404, "category_not_found")
    assert api.delete(path).error == (404, "category_not_found")


def test_a_second_category_of_a_code_is_409(api: Api) -> None:
    api.post(CATEGORIES, MARKETING)
    again = api.post(CATEGORIES, MARKETING)
    assert again.error == (409, "category_exists")
    assert list(again.details) == ["code"]


def test_a_categorys_default_holds_for_who_said_nothing_of_it(api: Api) -> None:
    user = api.create(email="jane@example.com")
    api.post(CATEGORIES, MARKETING)
    assert preferences(api, user)["categories"] == {"marketing": {"sms": False}}
    choice = {"categories": {"marketing": {"sms": True, "email": False}}}
    answer = api.patch(user_path(user["user_id"], "preferences/"), choice)
    assert answer.data["categories"] == choice["categories"]
    record = api.get(f"/internal/users/{user['user_id']}/").body
    assert record["categories"] == choice["categories"]
    api.delete(CATEGORIES + "marketing/")
    assert preferences(api, user)["categories"] == choice["categories"]


def test_what_is_essential_cannot_be_switched_off(api: Api) -> None:
    path = user_path(api.create(email="jane@example.com")["user_id"], "preferences/")
    answer = api.patch(path, {"categories": {"security": {"email": False}}})
    assert answer.error == (400, "validation_error")
    assert "essential" in answer.details["categories"][0]
    assert api.patch(path, {"categories": {"security": {"email": True}}}).status == 200
    assert api.patch(path, {"categories": {"security": None}}).status == 200


def test_an_organization_may_decide_otherwise_on_a_built_in_category(api: Api) -> None:
    path = user_path(api.create(email="jane@example.com")["user_id"], "preferences/")
    off = {"categories": {"transactional": {"email": False}}}
    assert api.patch(path, off).status == 400
    changed = api.patch(CATEGORIES + "transactional/", {"essential": False})
    assert changed.data["essential"] is False
    assert changed.data["built_in"] is True
    assert api.patch(path, off).status == 200
    assert api.get("/internal/policy/").body["categories"]["transactional"]["essential"] is False
    assert api.delete(CATEGORIES + "transactional/").status == 200
    assert api.get(CATEGORIES + "transactional/").data["essential"] is True
    assert api.delete(CATEGORIES + "transactional/").error == (404, "category_not_found")
    described = api.post(CATEGORIES, {"code": "otp", "name": "Codes"})
    assert (described.data["essential"], described.data["name"]) == (True, "Codes")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"code": "Marketing"}, "code"),
        ({"code": ""}, "code"),
        ({"code": "a b"}, "code"),
        ({"code": "a/b"}, "code"),
        ({"code": "x" * 65}, "code"),
        ({"code": 1}, "code"),
        ({"code": "a", "name": "x" * 101}, "name"),
        ({"code": "a", "description": "x" * 501}, "description"),
        ({"code": "a", "essential": "yes"}, "essential"),
        ({"code": "a", "preferences": {"fax": True}}, "preferences"),
        ({"code": "a", "frequency_cap": {"limit": 0, "seconds": 60}}, "frequency_cap"),
        ({"code": "a", "frequency_cap": {"limit": 1, "seconds": 59}}, "frequency_cap"),
        ({"code": "a", "frequency_cap": {"limit": 1, "seconds": 31 * 86_400 + 1}}, "frequency_cap"),
        ({"code": "a", "frequency_cap": {"limit": 1}}, "frequency_cap"),
        ({"code": "a", "frequency_cap": {"limit": 1.5, "seconds": 60}}, "frequency_cap"),
        (
            {"code": "a", "essential": True, "frequency_cap": {"limit": 1, "seconds": 60}},
            "frequency_cap",
        ),
        ({"code": "a", "essential": True, "preferences": {"sms": False}}, "preferences"),
        ({"code": "a", "built_in": True}, "built_in"),
    ],
)
def test_a_bad_category_is_400_and_named(api: Api, body: object, field: str) -> None:
    answer = api.post(CATEGORIES, body)
    assert answer.error == (400, "validation_error")
    assert list(answer.details) == [field]


def test_missing_fields_are_named(api: Api) -> None:
    assert list(api.post(CATEGORIES, {}).details) == ["code"]
    assert list(api.patch(DEFAULTS, {}).details) == ["preferences"]
    api.post(CATEGORIES, MARKETING)
    assert api.patch(CATEGORIES + "marketing/", {}).error == (400, "missing_fields")


def test_there_are_a_hundred_categories_at_most(api: Api) -> None:
    for n in range(100):
        assert api.post(CATEGORIES, {"code": f"category-{n}"}).status == 201
    answer = api.post(CATEGORIES, {"code": "one-more"})
    assert answer.error == (400, "validation_error")


def test_an_unknown_organization_decides_nothing(db: None) -> None:
    unknown = Api()
    assert unknown.get(DEFAULTS).data == {"preferences": ALL_ON}
    change = {"preferences": {"sms": False}}
    assert unknown.patch(DEFAULTS, change).error == (404, "organization_not_found")
    assert unknown.post(CATEGORIES, MARKETING).error == (404, "organization_not_found")


@pytest.mark.django_db(transaction=True)
def test_the_gateway_sees_a_change_at_once(committed_api: Api, gateway: Gateway) -> None:
    api = committed_api
    api.post(CATEGORIES, MARKETING)
    first = gateway.policy(api)
    assert first.categories["marketing"].cap_limit == 2
    assert first.categories["marketing"].cap_seconds == 86_400
    assert first.categories["marketing"].preferences == {"sms": False}
    assert first.categories["otp"].essential
    api.patch(CATEGORIES + "marketing/", {"frequency_cap": None})
    api.patch(DEFAULTS, {"preferences": {"push": False}})
    after = gateway.policy(api)
    assert after.revision > first.revision
    assert after.categories["marketing"].cap_limit == 0
    assert after.preferences == {"push": False}
    api.delete(CATEGORIES + "marketing/")
    assert "marketing" not in gateway.policy(api).categories
