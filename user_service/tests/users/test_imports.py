"""Imports: what each line becomes, and that a bad one harms no other."""

import io
import random
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from user_service.json_lines import LINE_BYTES
from user_service.tests.calls import Answer, Api, user_path
from user_service.tests.gateway import Gateway
from user_service.tests.waiting import PATIENCE, until_somebody_waits
from user_service.users.models import Device, PreferenceChange, User

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

IMPORT = "/api/v1/users/import/"
NIGHT = {"start": "22:00", "end": "07:00"}


def encoded(*lines: object) -> bytes:
    return b"\n".join(
        line if isinstance(line, bytes) else msgspec.json.encode(line) for line in lines
    )


def imported(api: Api, *lines: object) -> dict[str, Any]:
    answer = api.lines(IMPORT, encoded(*lines))
    assert answer.status == 200, answer.body
    data: dict[str, Any] = answer.data
    return data


def outcomes(data: dict[str, Any]) -> list[str]:
    return [result["error"] or result["outcome"] for result in data["results"]]


def test_a_line_is_a_user(api: Api) -> None:
    line = {
        "external_id": "jane",
        "email": "Jane@EXAMPLE.com",
        "name": " Jane ",
        "phone_number": "+44 7700 900123",
        "language": "en-gb",
        "timezone": "Europe/London",
        "attributes": {"plan": "gold", "none": None},
        "preferences": {"sms": False},
        "categories": {"news": {"email": False}},
        "quiet_hours": {"friday": [NIGHT]},
        "push_token": "phone",
    }
    data = imported(api, line)
    assert {key: data[key] for key in ("created", "updated", "refused")} == {
        "created": 1,
        "updated": 0,
        "refused": 0,
    }
    (result,) = data["results"]
    user = api.get(user_path("jane")).data
    assert result["id"] == user["user_id"]
    assert result["line"] == 1
    assert user["email"] == "Jane@example.com"
    assert user["name"] == "Jane"
    assert user["phone_number"] == "+447700900123"
    assert user["language"] == "en-GB"
    assert user["attributes"] == {"plan": "gold"}
    assert user["push_token"] == "phone"
    wishes = api.get(user_path("jane", "preferences/")).data
    assert wishes["preferences"]["sms"] is False
    assert wishes["categories"] == {"news": {"email": False}}
    assert wishes["quiet_hours"] == {"friday": [NIGHT]}
    (change,) = api.get(user_path("jane", "preferences/history/")).data
    assert change["source"] == "import"
    assert len(change["changes"]) == 3


def test_a_known_external_id_is_changed_as_patch_would(api: Api) -> None:
    before = api.create(
        external_id="jane",
        email="jane@example.com",
        attributes={"plan": "gold", "city": "Leeds"},
        preferences={"sms": False},
        password="securepassword",
    )
    data = imported(
        api, {"external_id": "jane", "name": "Jane", "attributes": {"city": None, "age": 4}}
    )
    assert outcomes(data) == ["updated"]
    after = api.get(user_path("jane")).data
    assert after == {
        **before,
        "name": "Jane",
        "attributes": {"plan": "gold", "age": 4},
        "updated_at": after["updated_at"],
    }
    assert after["updated_at"] > before["updated_at"]
    assert User.objects.get().password.startswith("pbkdf2")
    assert PreferenceChange.objects.count() == 1


def test_a_bad_line_harms_no_other(api: Api) -> None:
    api.create(email="taken@example.com")
    data = imported(
        api,
        {"email": "good1@example.com"},
        {"email": "bad"},
        b'{"email": ',
        b"[]",
        {"email": "x@example.com", "attributes": {"a": "x" * LINE_BYTES}},
        {"name": "Nobody"},
        {"email": "y@example.com", "fax": "1"},
        {"email": "TAKEN@example.com"},
        {"email": "z@example.com", "password": "securepassword"},
        {"external_id": "batch"},
        {"email": "w@example.com", "categories": {"security": {"email": False}}},
        {"email": "v@example.com", "quiet_hours": {"monday": [{"start": "1", "end": "2"}]}},
        {"email": "good2@example.com"},
    )
    assert outcomes(data) == [
        "created",
        "validation_error",
        "invalid_json",
        "invalid_json",
        "payload_too_large",
        "missing_fields",
        "validation_error",
        "user_exists",
        "validation_error",
        "validation_error",
        "validation_error",
        "validation_error",
        "created",
    ]
    assert (data["created"], data["refused"]) == (2, 11)
    fields = [list(result["details"]) for result in data["results"]]
    assert fields[1] == ["email"]
    assert fields[6] == ["fax"]
    assert fields[7] == ["email"]
    assert fields[8] == ["password"]
    assert fields[10] == ["categories"]
    assert fields[11] == ["quiet_hours"]
    assert all(result["id"] is None for result in data["results"] if result["error"])
    assert User.objects.count() == 3


def test_lines_are_taken_in_order(api: Api) -> None:
    api.create(external_id="joe", email="joe@example.com")
    data = imported(
        api,
        {"external_id": "jane", "email": "jane@example.com", "name": "Jane"},
        {"external_id": "jane", "name": "Jane Doe"},
        {"email": "JANE@example.com"},
        {"external_id": "joe", "email": "jane@example.com"},
        {"external_id": "jane", "email": None},
        {"email": "jane@example.com"},
    )
    assert outcomes(data) == [
        "created",
        "updated",
        "user_exists",
        "user_exists",
        "updated",
        "created",
    ]
    jane = api.get(user_path("jane")).data
    assert (jane["name"], jane["email"]) == ("Jane Doe", None)
    assert api.get(user_path("joe")).data["email"] == "joe@example.com"


def test_emails_that_change_hands_are_sorted_out_line_by_line(api: Api) -> None:
    api.create(external_id="a", email="a@example.com")
    api.create(external_id="b", email="b@example.com")
    data = imported(
        api,
        {"external_id": "a", "email": "free@example.com"},
        {"external_id": "b", "email": "a@example.com"},
        {"external_id": "a", "email": "b@example.com"},
    )
    assert outcomes(data) == ["updated"] * 3
    assert api.get(user_path("a")).data["email"] == "b@example.com"
    assert api.get(user_path("b")).data["email"] == "a@example.com"


def test_tokens_move_as_when_they_are_registered(api: Api) -> None:
    api.create(external_id="jane", push_token="one")
    api.post(user_path("jane", "devices/"), {"platform": "apns", "token": "0f" * 32})
    api.create(external_id="robbed", push_token="two")
    api.create(external_id="joe", push_token="three")
    imported(
        api,
        {"external_id": "jane", "push_token": "two"},
        {"external_id": "joe", "push_token": None},
        {"external_id": "new", "push_token": "one"},
        {"external_id": "last", "push_token": "shared"},
        {"external_id": "very-last", "push_token": "shared"},
        {"external_id": "very-last", "push_token": "shared"},
    )
    shown = {
        name: api.get(user_path(name)).data["push_token"]
        for name in ("jane", "robbed", "joe", "new", "last", "very-last")
    }
    assert shown == {
        "jane": "two",
        "robbed": None,
        "joe": None,
        "new": "one",
        "last": None,
        "very-last": "shared",
    }
    assert [d["platform"] for d in api.get(user_path("jane", "devices/")).data] == ["fcm", "apns"]
    assert Device.objects.count() == 4


def test_another_organizations_users_are_not_touched(api: Api, other_api: Api) -> None:
    body = {"external_id": "jane", "email": "jane@example.com", "push_token": "phone"}
    theirs = other_api.create(**body)
    assert outcomes(imported(api, {**body, "name": "Mine"})) == ["created"]
    assert other_api.get(user_path("jane")).data == theirs


def test_an_unknown_organization_imports_nothing(db: None) -> None:
    answer = Api().lines(IMPORT, encoded({"email": "a@example.com"}))
    assert answer.error == (404, "organization_not_found")


def test_an_import_takes_the_same_few_queries_for_many_lines(
    api: Api, django_assert_max_num_queries: Any
) -> None:
    lines = [
        {
            "external_id": f"customer-{n}",
            "email": f"user{n}@example.com",
            "push_token": f"token-{n}",
            "preferences": {"sms": False},
        }
        for n in range(400)
    ]
    with django_assert_max_num_queries(20):
        assert imported(api, *lines)["created"] == 400
    with django_assert_max_num_queries(20):
        assert imported(api, *lines)["updated"] == 400
    assert User.objects.count() == Device.objects.count() == 400


@pytest.mark.django_db(transaction=True)
class TestCommitted:
    def test_the_gateway_sees_every_line(self, committed_api: Api, gateway: Gateway) -> None:
        api = committed_api
        robbed = api.create(external_id="robbed", push_token="phone")["user_id"]
        before = gateway.user(api, "robbed")
        data = imported(
            api,
            {"external_id": "jane", "email": "jane@example.com", "push_token": "phone"},
            {"external_id": "jane", "name": "Jane"},
        )
        user_id = data["results"][0]["id"]
        for name in (user_id, "jane"):
            cached = gateway.user(api, name)
            assert cached.name == "Jane"
            assert [device.token for device in cached.devices] == ["phone"]
            assert cached.revision == User.objects.get(id=user_id).revision
        assert gateway.user(api, robbed).devices == ()
        assert gateway.user(api, robbed).revision > before.revision

    def test_who_comes_first_meanwhile_costs_one_line(self, committed_api: Api) -> None:
        api = committed_api
        api.create(external_id="other")
        answers: list[Answer] = []
        lines = [{"email": f"user{n}@example.com"} for n in range(5)]

        def meanwhile() -> None:
            try:
                answers.append(api.lines(IMPORT, encoded(*lines)))
            finally:
                connection.close()

        thread = threading.Thread(target=meanwhile)
        with transaction.atomic():
            User.objects.filter(external_id="other").update(email="user3@example.com")
            thread.start()
            until_somebody_waits()
        thread.join(PATIENCE)
        assert outcomes(answers[0].data) == [
            *("created", "created", "created", "user_exists", "created")
        ]
        assert User.objects.count() == 5


class TestTheCommand:
    def run(self, api: Api, path: object) -> str:
        out = io.StringIO()
        call_command("import_users", str(path), organization=api.organization_id, stdout=out)
        return out.getvalue()

    def test_it_imports_a_file_with_progress(self, api: Api, tmp_path: Path) -> None:
        file = tmp_path / "users.jsonl"
        file.write_bytes(encoded(*({"external_id": f"c{n}"} for n in range(1201))))
        out = self.run(api, file).splitlines()
        assert [line.split()[0] for line in out] == ["500", "1,000", "1,201"]
        assert out[-1].endswith("1,201 created, 0 updated, 0 refused")
        assert self.run(api, file).endswith("0 created, 1,201 updated, 0 refused\n")
        assert User.objects.count() == 1201

    def test_refused_lines_are_named_and_fail_the_command(
        self, api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "users.jsonl"
        file.write_bytes(encoded({"email": "a@example.com"}, {"email": "bad"}, b"{"))
        with pytest.raises(CommandError, match="2 lines were refused"):
            self.run(api, file)
        told = capsys.readouterr().err.splitlines()
        assert told[0].startswith("line 2: validation_error: email: ")
        assert told[1].startswith("line 3: invalid_json: ")
        assert User.objects.count() == 1

    @pytest.mark.parametrize(
        ("name", "organization", "problem"),
        [
            ("missing.jsonl", "", "Cannot read"),
            ("users.jsonl", "acme", "is no organization id"),
            ("users.jsonl", "org_" + "0" * 32, "does not know the organization"),
        ],
    )
    def test_what_cannot_be_done_is_said(
        self, api: Api, tmp_path: Path, name: str, organization: str, problem: str
    ) -> None:
        (tmp_path / "users.jsonl").write_bytes(encoded({"email": "a@example.com"}))
        with pytest.raises(CommandError, match=problem):
            self.run(Api(organization or api.organization_id), tmp_path / name)


@pytest.mark.parametrize("seed", range(3))
def test_tokens_end_where_single_changes_would_have_put_them(
    api: Api, other_api: Api, seed: int
) -> None:
    chance = random.Random(seed)
    names, tokens = ["a", "b", "c", "d"], ["one", "two", "three", "four", "five", None]
    moves = [(chance.choice(names), chance.choice(tokens)) for _ in range(40)]
    for name in names:
        devices = chance.randrange(3)
        for one in (api, other_api):
            one.create(external_id=name)
            for n in range(devices):
                device = {"platform": "fcm", "token": f"{name}-{n}"}
                assert one.post(user_path(name, "devices/"), device).status == 201
    for name, token in moves:
        assert api.patch(user_path(name), {"push_token": token}).status == 200
    lines = [{"external_id": name, "push_token": token} for name, token in moves]
    assert imported(other_api, *lines)["updated"] == 40

    def held(one: Api) -> dict[str, list[str]]:
        return {
            name: [device["token"] for device in one.get(user_path(name, "devices/")).data]
            for name in names
        }

    assert held(other_api) == held(api)


def test_an_import_may_take_longer_than_another_request(api: Api, settings: Any) -> None:
    settings.CARILLON = replace(settings.CARILLON, database_patience=0.0)
    answer = api.lines(IMPORT, encoded({"external_id": "jane"}))
    assert (answer.status, answer.data["created"]) == (200, 1)
