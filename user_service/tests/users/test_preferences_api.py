"""Preferences through the API."""

from typing import Any

import pytest

from user_service.tests.calls import Api, user_path
from user_service.users.models import PreferenceChange

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

ALL_ON = {"email": True, "sms": True, "whatsapp": True, "push": True}
NIGHT = {"start": "22:00", "end": "07:00"}


def test_everything_is_on_for_a_new_user(api: Api) -> None:
    user = api.create(email="jane@example.com")
    answer = api.get(user_path(user["user_id"], "preferences/"))
    assert answer.status == 200
    assert answer.data == {"preferences": ALL_ON, "categories": {}, "quiet_hours": {}}


def test_the_change_of_the_reference(api: Api) -> None:
    user = api.create(email="jane@example.com", preferences={"email": True, "push": False})
    path = user_path(user["user_id"], "preferences/")
    answer = api.patch(path, {"preferences": {"email": False, "push": True}})
    assert answer.status == 200
    assert answer.data["preferences"] == {**ALL_ON, "email": False}
    assert api.get(path).data == answer.data
    shown = api.get(user_path(user["user_id"])).data
    assert shown["preferences"] == answer.data["preferences"]
    assert shown["updated_at"] > user["updated_at"]


def test_each_part_changes_alone_and_null_goes_back(api: Api) -> None:
    path = user_path(api.create(email="jane@example.com")["user_id"], "preferences/")
    changes: list[dict[str, Any]] = [
        {"preferences": {"sms": False}},
        {"categories": {"marketing": {"email": False}, "news": {"push": False}}},
        {"quiet_hours": {"friday": [NIGHT], "sunday": [{"start": "00:00", "end": "24:00"}]}},
    ]
    for change in changes:
        assert api.patch(path, change).status == 200
    assert api.get(path).data == {
        "preferences": {**ALL_ON, "sms": False},
        "categories": {"marketing": {"email": False}, "news": {"push": False}},
        "quiet_hours": {"friday": [NIGHT], "sunday": [{"start": "00:00", "end": "24:00"}]},
    }
    answer = api.patch(
        path,
        {
            "preferences": {"sms": None},
            "categories": {"marketing": {"email": True}, "news": None},
            "quiet_hours": {"friday": None},
        },
    )
    assert answer.data == {
        "preferences": ALL_ON,
        "categories": {"marketing": {"email": True}},
        "quiet_hours": {"sunday": [{"start": "00:00", "end": "24:00"}]},
    }
    assert api.patch(path, {"quiet_hours": None}).data["quiet_hours"] == {}


def test_categories_have_a_bound_over_all_changes(api: Api) -> None:
    path = user_path(api.create(email="jane@example.com")["user_id"], "preferences/")
    first = {f"a{n}": {"email": False} for n in range(100)}
    assert api.patch(path, {"categories": first}).status == 200
    answer = api.patch(path, {"categories": {"one-more": {"email": False}}})
    assert answer.error == (400, "validation_error")
    assert list(answer.details) == ["categories"]
    assert len(api.get(path).data["categories"]) == 100


def test_an_unknown_user_has_none(api: Api) -> None:
    path = user_path("nobody", "preferences/")
    assert api.get(path).error == (404, "user_not_found")
    assert api.patch(path, {"preferences": {}}).error == (404, "user_not_found")


def test_every_change_is_remembered_with_its_source(api: Api) -> None:
    user = api.create(email="jane@example.com", preferences={"push": False})
    path = user_path(user["user_id"], "preferences/")
    named = Api(api.organization_id, headers={"X-Correlation-ID": "corr_mine"})
    named.patch(
        path,
        {
            "preferences": {"push": None, "sms": False},
            "categories": {"news": {"email": False}},
            "quiet_hours": {"friday": [NIGHT]},
        },
    )
    api.patch(user_path(user["user_id"]), {"preferences": {"sms": True}, "name": "Jane"})
    api.patch(user_path(user["user_id"]), {"name": "Jane Doe"})
    api.patch(path, {"preferences": {"sms": True}})
    history = api.get(path + "history/")
    assert history.body["meta"]["total"] == 3
    newest, second, first = history.data
    assert first["source"] == "api"
    assert first["changes"] == [{"field": "preferences.push", "before": None, "after": False}]
    assert second["correlation_id"] == "corr_mine"
    assert second["changes"] == [
        {"field": "categories.news.email", "before": None, "after": False},
        {"field": "preferences.push", "before": False, "after": None},
        {"field": "preferences.sms", "before": None, "after": False},
        {"field": "quiet_hours.friday", "before": None, "after": [NIGHT]},
    ]
    assert newest["changes"] == [{"field": "preferences.sms", "before": False, "after": True}]
    assert newest["at"] > second["at"] > first["at"]
    page = api.get(path + "history/?limit=1&page=2")
    assert page.data == [second]
    assert api.get(path + "history/?limit=0").error == (400, "validation_error")


def test_a_refused_change_is_not_remembered(api: Api) -> None:
    api.create(email="joe@example.com")
    user = api.create(email="jane@example.com")
    change = {"email": "joe@example.com", "preferences": {"sms": False}}
    assert api.patch(user_path(user["user_id"]), change).status == 409
    assert api.get(user_path(user["user_id"], "preferences/history/")).data == []


def test_erasing_a_user_erases_the_history(api: Api) -> None:
    user = api.create(email="jane@example.com", preferences={"push": False})
    assert PreferenceChange.objects.count() == 1
    api.delete(user_path(user["user_id"]))
    assert PreferenceChange.objects.count() == 0
