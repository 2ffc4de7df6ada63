"""How changes of preferences are merged, and what a quiet hour may be."""

import pytest

from carillon.contracts.channels import CHANNELS
from user_service.choices import effective, effective_matrix, merge_choices, merge_matrix
from user_service.tests.calls import Api, user_path
from user_service.users.attributes import merge_object
from user_service.users.quiet_hours import (
    InvalidQuietHours,
    Window,
    check_windows,
    merge_quiet_hours,
)

NIGHT: Window = {"start": "22:00", "end": "07:00"}
PREFERENCES = user_path("customer-1", "preferences/")


def test_every_channel_has_a_choice_the_users_before_the_organizations() -> None:
    all_on = dict.fromkeys(CHANNELS, True)
    assert effective({}, {}) == all_on
    assert effective({"push": False}, {}) == {**all_on, "push": False}
    assert effective({}, {"push": False}) == {**all_on, "push": False}
    assert effective({"push": True}, {"push": False}) == all_on


def test_the_matrix_has_what_anybody_decided() -> None:
    said = {"news": {"email": True}, "own": {"sms": False}}
    defaults = {"news": {"email": False, "push": False}, "offers": {"sms": False}, "plain": {}}
    assert effective_matrix(said, defaults) == {
        "news": {"email": True, "push": False},
        "offers": {"sms": False},
        "own": {"sms": False},
    }


def test_a_change_keeps_what_it_does_not_name_and_null_forgets() -> None:
    assert merge_choices({"email": False, "sms": True}, {"push": False}) == {
        "email": False,
        "sms": True,
        "push": False,
    }
    assert merge_choices({"email": False}, {"email": None}) == {}


def test_the_matrix_merges_by_category_and_channel() -> None:
    said = {"news": {"email": False, "push": False}, "offers": {"sms": False}}
    assert merge_matrix(said, {"news": {"push": True}}) == {
        "news": {"email": False, "push": True},
        "offers": {"sms": False},
    }
    assert merge_matrix(said, {"news": None}) == {"offers": {"sms": False}}
    assert merge_matrix(said, {"offers": {"sms": None}}) == {"news": said["news"]}
    assert merge_matrix(said, {"offers": {}}) == said


def test_merging_leaves_the_original_alone() -> None:
    said = {"news": {"email": False}}
    merge_matrix(said, {"news": {"email": True}})
    merge_object(said, {"news": None})
    assert said == {"news": {"email": False}}


def test_attributes_merge_at_the_top_and_null_removes() -> None:
    said = {"plan": "gold", "address": {"city": "Leeds", "zip": "LS1"}}
    change = {"plan": None, "address": {"city": "York"}, "age": 0}
    assert merge_object(said, change) == {"address": {"city": "York"}, "age": 0}


@pytest.mark.parametrize(
    "window",
    [
        NIGHT,
        {"start": "00:00", "end": "24:00"},
        {"start": "12:30", "end": "13:00"},
        {"start": "23:59", "end": "00:00"},
    ],
)
def test_windows_that_mean_something_pass(window: Window) -> None:
    check_windows("monday", [window])


@pytest.mark.parametrize(
    "window",
    [
        {"start": "24:00", "end": "07:00"},
        {"start": "22:00", "end": "24:01"},
        {"start": "7:00", "end": "08:00"},
        {"start": "22:60", "end": "23:00"},
        {"start": "22:00", "end": "22:00"},
        {"start": "22:00:00", "end": "23:00"},
        {"start": "10pm", "end": "11pm"},
        {"start": "22:00\n", "end": "23:00"},
        {"start": "\u0662\u0662:00", "end": "23:00"},
    ],
)
def test_windows_that_mean_nothing_are_refused(window: Window) -> None:
    with pytest.raises(InvalidQuietHours, match="monday"):
        check_windows("monday", [window])


def test_a_day_has_few_windows() -> None:
    check_windows("monday", [NIGHT] * 4)
    with pytest.raises(InvalidQuietHours, match="4"):
        check_windows("monday", [NIGHT] * 5)


def test_quiet_hours_are_replaced_day_by_day() -> None:
    noon: Window = {"start": "12:00", "end": "13:00"}
    said = {"monday": [NIGHT], "sunday": [NIGHT]}
    assert merge_quiet_hours(said, {"monday": [noon], "friday": [NIGHT]}) == {
        "monday": [noon],
        "friday": [NIGHT],
        "sunday": [NIGHT],
    }
    assert merge_quiet_hours(said, {"monday": None}) == {"sunday": [NIGHT]}
    assert merge_quiet_hours(said, {"monday": []}) == {"sunday": [NIGHT]}
    assert merge_quiet_hours(said, {}) == said
    assert merge_quiet_hours(said, None) == {}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"preferences": {"fax": True}}, "preferences"),
        ({"preferences": {"email": "no"}}, "preferences"),
        ({"preferences": True}, "preferences"),
        ({"categories": {"News!": {"email": False}}}, "categories"),
        ({"categories": {"": {"email": False}}}, "categories"),
        ({"categories": {"x" * 65: {"email": False}}}, "categories"),
        ({"categories": {"news": {"fax": False}}}, "categories"),
        ({"categories": {"news": False}}, "categories"),
        ({"categories": None}, "categories"),
        ({"categories": {f"c{n}": {"email": False} for n in range(101)}}, "categories"),
        ({"quiet_hours": {"mon": [NIGHT]}}, "quiet_hours"),
        ({"quiet_hours": {"monday": NIGHT}}, "quiet_hours"),
        ({"quiet_hours": {"monday": [{"start": "22:00"}]}}, "quiet_hours"),
        ({"quiet_hours": {"monday": [{**NIGHT, "zone": "UTC"}]}}, "quiet_hours"),
        ({"quiet_hours": {"monday": [{"start": "25:00", "end": "26:00"}]}}, "quiet_hours"),
        ({"quiet_hours": {"monday": [NIGHT] * 5}}, "quiet_hours"),
        ({"quiet_hours": "22-7"}, "quiet_hours"),
        ({"preferences": {}, "email": False}, "email"),
    ],
)
def test_a_bad_change_is_400_and_named(body: object, field: str) -> None:
    answer = Api().patch(PREFERENCES, body)
    assert answer.error == (400, "validation_error")
    assert list(answer.details) == [field]
