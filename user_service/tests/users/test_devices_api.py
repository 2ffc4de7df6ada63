"""Devices through the API, and `push_token`, the shorthand for one of them."""

import pytest

from user_service.tests.calls import Api, user_path
from user_service.users.models import Device
from user_service.users.services.devices import DEVICES_MOST

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

SUBSCRIPTION = '{"endpoint":"https://push.example.com/x","keys":{"p256dh":"BNcR","auth":"tBHI"}}'


def fcm(token: str) -> dict[str, str]:
    return {"platform": "fcm", "token": token}


def tokens(api: Api, identifier: str) -> list[str]:
    return [device["token"] for device in api.get(user_path(identifier, "devices/")).data]


def test_a_user_has_several_devices_the_newest_first(api: Api) -> None:
    api.create(external_id="jane")
    path = user_path("jane", "devices/")
    sent = [fcm("android"), {"platform": "apns", "token": "0F" * 32}]
    sent.append({"platform": "webpush", "token": SUBSCRIPTION})
    answers = [api.post(path, body) for body in sent]
    assert [answer.status for answer in answers] == [201, 201, 201]
    listed = api.get(path)
    assert listed.data == [answer.data for answer in reversed(answers)]
    assert listed.body["meta"]["total"] == 3
    assert [device["platform"] for device in listed.data] == ["webpush", "apns", "fcm"]
    assert listed.data[0]["token"] == SUBSCRIPTION
    assert set(listed.data[0]) == {
        "device_id",
        "platform",
        "token",
        "created_at",
        "registered_at",
        "disabled_at",
    }
    assert listed.data[0]["device_id"].startswith("device_")


def test_registering_again_renews_and_answers_200(api: Api) -> None:
    api.create(external_id="jane")
    path = user_path("jane", "devices/")
    first = api.post(path, fcm("phone")).data
    api.post(path, fcm("tablet"))
    again = api.post(path, fcm("phone"))
    assert again.status == 200
    assert again.data == {**first, "registered_at": again.data["registered_at"]}
    assert again.data["registered_at"] > first["registered_at"]
    assert tokens(api, "jane") == ["phone", "tablet"]


def test_a_token_moves_to_its_newest_owner(api: Api) -> None:
    api.create(external_id="jane", push_token="shared")
    api.create(external_id="joe")
    moved = api.post(user_path("joe", "devices/"), fcm("shared"))
    assert moved.status == 201
    assert tokens(api, "jane") == []
    assert tokens(api, "joe") == ["shared"]
    assert api.get(user_path("jane")).data["push_token"] is None
    api.create(external_id="june", push_token="shared")
    assert tokens(api, "joe") == []
    api.patch(user_path("jane"), {"push_token": "shared"})
    assert tokens(api, "june") == []
    assert tokens(api, "jane") == ["shared"]
    assert Device.objects.count() == 1


def test_another_organizations_token_stays_there(api: Api, other_api: Api) -> None:
    api.create(external_id="jane", push_token="same")
    other_api.create(external_id="jane", push_token="same")
    assert tokens(api, "jane") == tokens(other_api, "jane") == ["same"]


def test_a_token_can_be_as_long_as_the_api_says(api: Api) -> None:
    api.create(external_id="jane")
    longest = "".join(chr(33 + n * 7 % 94) for n in range(4096))
    assert api.post(user_path("jane", "devices/"), fcm(longest)).status == 201
    assert tokens(api, "jane") == [longest]


def test_the_oldest_device_makes_room(api: Api) -> None:
    api.create(external_id="jane")
    for n in range(DEVICES_MOST + 2):
        assert api.post(user_path("jane", "devices/"), fcm(f"token-{n}")).status == 201
    held = tokens(api, "jane")
    assert len(held) == DEVICES_MOST
    assert held[0] == f"token-{DEVICES_MOST + 1}"
    assert held[-1] == "token-2"


def test_removing_a_device(api: Api) -> None:
    api.create(external_id="jane")
    device = api.post(user_path("jane", "devices/"), fcm("phone")).data
    path = user_path("jane", f"devices/{device['device_id']}/")
    removed = api.delete(path)
    assert (removed.status, removed.data) == (200, {"device_id": device["device_id"]})
    assert tokens(api, "jane") == []
    assert api.delete(path).error == (404, "device_not_found")


@pytest.mark.parametrize("device_id", ["phone", "device_1", "user_" + "0" * 32, "%00"])
def test_removing_what_is_no_device_is_404(api: Api, device_id: str) -> None:
    api.create(external_id="jane")
    answer = api.delete(user_path("jane", f"devices/{device_id}/"))
    assert answer.error == (404, "device_not_found")


def test_another_users_device_is_not_there(api: Api) -> None:
    api.create(external_id="jane")
    api.create(external_id="joe")
    device = api.post(user_path("joe", "devices/"), fcm("phone")).data
    answer = api.delete(user_path("jane", f"devices/{device['device_id']}/"))
    assert answer.error == (404, "device_not_found")
    assert tokens(api, "joe") == ["phone"]


def test_push_token_is_the_newest_fcm_device_and_replaces_it(api: Api) -> None:
    api.create(external_id="jane", push_token="first")
    assert tokens(api, "jane") == ["first"]
    api.post(user_path("jane", "devices/"), fcm("second"))
    api.post(user_path("jane", "devices/"), {"platform": "apns", "token": "0f" * 32})
    assert api.get(user_path("jane")).data["push_token"] == "second"
    changed = api.patch(user_path("jane"), {"push_token": "third"})
    assert changed.data["push_token"] == "third"
    assert tokens(api, "jane") == ["third", "0f" * 32, "first"]
    same = api.patch(user_path("jane"), {"push_token": "third"})
    assert same.data["push_token"] == "third"
    gone = api.patch(user_path("jane"), {"push_token": None})
    assert gone.data["push_token"] == "first"
    assert tokens(api, "jane") == ["0f" * 32, "first"]


def test_an_unknown_user_has_no_devices(api: Api) -> None:
    path = user_path("nobody", "devices/")
    assert api.get(path).error == (404, "user_not_found")
    assert api.post(path, fcm("phone")).error == (404, "user_not_found")
    assert api.delete(path + "device_" + "0" * 32 + "/").error == (404, "user_not_found")


def test_a_dead_token_disables_the_device_until_it_is_registered_again(api: Api) -> None:
    api.create(external_id="jane", push_token="dead")
    devices = user_path("jane", "devices/")
    other = api.post(devices, {"platform": "apns", "token": "0f" * 32}).data
    dead = api.get(devices).data[1]
    path = f"/internal/devices/{dead['device_id']}/disable/"
    answer = api.post(path, None)
    assert answer.status == 200
    assert answer.data["disabled_at"] is not None
    assert api.post(path, None).data == answer.data
    assert [d["token"] for d in api.get("/internal/users/jane/").body["devices"]] == [
        other["token"]
    ]
    assert api.get(user_path("jane")).data["push_token"] is None
    assert len(api.get(devices).data) == 2
    assert api.post(devices, fcm("dead")).data["disabled_at"] is None
    assert api.get(user_path("jane")).data["push_token"] == "dead"
    assert len(api.get("/internal/users/jane/").body["devices"]) == 2


@pytest.mark.parametrize("device_id", ["x", "device_" + "0" * 32])
def test_disabling_what_is_no_device_is_404(api: Api, device_id: str) -> None:
    answer = api.post(f"/internal/devices/{device_id}/disable/", None)
    assert answer.error == (404, "device_not_found")
