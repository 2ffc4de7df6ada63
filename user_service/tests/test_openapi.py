"""The documentation says of each call what it takes, what it gives, and how it can fail."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from django.core.management import call_command
from django.test import Client

from carillon.contracts.channels import CHANNELS
from carillon.web.bodies import convert_body
from user_service.policies.bodies import CategoryBody, CategoryChangeBody, DefaultsBody
from user_service.suppressions.bodies import (
    AddressesBody,
    ReportedSuppressionBody,
    SuppressionBody,
    check_suppression,
)
from user_service.users.bodies import BatchBody, DeviceBody, PreferencesBody, UserBody
from user_service.users.rules import check_device, check_new_user, check_preferences, check_user

Operation = dict[str, Any]


@pytest.fixture(scope="module")
def operations() -> dict[str, Operation]:
    """By operation id."""
    schema = Client().get("/api/schema/").json()
    return {
        operation["operationId"]: operation
        for methods in schema["paths"].values()
        for operation in methods.values()
    }


CALLS = {
    "import_users",
    "import_suppressions",
    "get_preference_defaults",
    "update_preference_defaults",
    "get_policy_record",
    "list_categories",
    "create_category",
    "get_category",
    "update_category",
    "delete_category",
    "list_suppressions",
    "create_suppression",
    "get_suppression",
    "delete_suppression",
    "report_suppression",
    "check_suppressions",
    "put_user",
    "list_preference_changes",
    "disable_device",
    "list_users",
    "create_user",
    "get_user",
    "update_user",
    "delete_user",
    "fetch_users",
    "get_preferences",
    "update_preferences",
    "list_devices",
    "register_device",
    "delete_device",
    "get_user_record",
    "fetch_user_records",
    "sync_organization",
}


def test_the_schema_is_made_without_a_warning(
    capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "out"))
    assert "Warning" not in capsys.readouterr().err


def test_every_call_is_there(operations: dict[str, Operation]) -> None:
    assert set(operations) == CALLS


@pytest.mark.parametrize("call", sorted(CALLS))
def test_every_call_names_its_errors_and_needs_the_secret(
    operations: dict[str, Operation], call: str
) -> None:
    operation = operations[call]
    assert "401" in operation["responses"]
    assert "400" in operation["responses"]
    assert any("InternalSecret" in way for way in operation["security"])
    if "{identifier}" in str(operation) or any(
        p["name"] == "identifier" for p in operation.get("parameters", [])
    ):
        assert "user_not_found" in operation["responses"]["404"]["description"]


ACCEPTS: dict[str, tuple[type[msgspec.Struct], Callable[[Any], object]]] = {
    "create_user": (UserBody, check_new_user),
    "update_user": (UserBody, check_user),
    "put_user": (UserBody, check_user),
    "create_category": (CategoryBody, lambda body: body),
    "update_category": (CategoryChangeBody, lambda body: body),
    "update_preference_defaults": (DefaultsBody, lambda body: body),
    "create_suppression": (SuppressionBody, check_suppression),
    "report_suppression": (ReportedSuppressionBody, check_suppression),
    "check_suppressions": (AddressesBody, lambda body: body),
    "update_preferences": (PreferencesBody, check_preferences),
    "register_device": (DeviceBody, check_device),
    "fetch_users": (BatchBody, lambda body: body),
    "fetch_user_records": (BatchBody, lambda body: body),
}


@pytest.mark.parametrize("call", sorted(ACCEPTS))
def test_every_example_of_a_body_is_accepted(operations: dict[str, Operation], call: str) -> None:
    shape, check = ACCEPTS[call]
    examples = operations[call]["requestBody"]["content"]["application/json"]["examples"]
    for example in examples.values():
        assert check(convert_body(example["value"], shape))


def test_the_channels_are_those_of_the_table(operations: dict[str, Operation]) -> None:
    body = operations["create_user"]["requestBody"]["content"]["application/json"]["schema"]
    assert list(body["properties"]["preferences"]["properties"]) == list(CHANNELS)


def test_quiet_hours_are_explained(operations: dict[str, Operation]) -> None:
    described = operations["update_preferences"]["description"]
    for word in ("weekday on which it starts", "24:00", "summer time", "UTC"):
        assert word in described
