"""`create_org` and `sync_org`, against the services' doubles."""

import io
import json
import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from carillon.contracts import ids
from gateway.organizations.models import APIKey, Organization
from gateway.tests.calls import Api
from gateway.tests.doubles import ServiceDouble

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def create(*arguments: str) -> str:
    out = io.StringIO()
    call_command("create_org", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def services(
    user_double: ServiceDouble, template_double: ServiceDouble
) -> tuple[ServiceDouble, ServiceDouble]:
    return user_double, template_double


def test_it_prints_the_id_and_both_keys_once(services: Any) -> None:
    shown = create("Acme", "--plan", "pro", "--quota", "10000")
    organization = Organization.objects.get()
    assert (organization.name, organization.plan) == ("Acme", "pro")
    assert organization.monthly_quota == 10_000
    assert organization.pk in shown
    keys = re.findall(r"org_(?:live|test)_\w{10}_[\w-]{43}", shown)
    assert [key[:9] for key in keys] == ["org_live_", "org_test_"]
    for key in keys:
        assert Api(key).get("/api/v1/organizations/me/").data["name"] == "Acme"
    for stored in APIKey.objects.all():
        assert sorted(stored.scopes) == ["admin", "read", "send", "templates", "users"]


def test_both_services_are_told(services: Any) -> None:
    create("Acme")
    organization = Organization.objects.get()
    for service in services:
        (call,) = [c for c in service.calls if c.path == "/internal/organizations/"]
        assert json.loads(call.body) == {
            "organization_id": organization.pk,
            "name": "Acme",
            "is_active": True,
        }


def test_json_is_one_object_and_nothing_else(services: Any) -> None:
    shown = json.loads(create("Acme", "--plan", "enterprise", "--json"))
    assert set(shown) == {"organization_id", "name", "plan", "quota", "api_key", "test_api_key"}
    assert shown["quota"] is None
    assert Api(shown["test_api_key"]).get("/api/v1/organizations/me/").status == 200


@pytest.mark.parametrize("down", [0, 1])
def test_a_service_that_is_down_leaves_nothing_half_made(services: Any, down: int) -> None:
    services[down].down = True
    with pytest.raises(CommandError) as refused:
        create("Acme")
    name = ("user_service", "template_service")[down]
    for part in (name, services[down].url, "Nothing was created", "run this again"):
        assert part in str(refused.value)
    assert not Organization.objects.exists()
    assert not any(c.path == "/internal/organizations/" for s in services for c in s.calls)
    services[down].down = False
    create("Acme")
    assert Organization.objects.count() == 1


def test_a_skipped_service_is_not_asked_and_told_later(services: Any) -> None:
    users, templates = services
    users.down = True
    create("Acme", "--skip-user-service")
    assert users.calls == []
    users.down = False
    out = io.StringIO()
    call_command("sync_org", Organization.objects.get().pk, stdout=out)
    assert [call.path for call in users.calls] == ["/internal/organizations/"]
    assert len([c for c in templates.calls if c.path == "/internal/organizations/"]) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("",),
        ("x" * 201,),
        ("two\nlines",),
        ("Acme", "--plan", "gold"),
        ("Acme", "--quota", "-1"),
        ("Acme", "--quota", "many"),
    ],
)
def test_bad_arguments_are_explained(services: Any, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        create(*arguments)
    assert not Organization.objects.exists()


def test_sync_org_explains_what_is_wrong(services: Any) -> None:
    create("Acme")
    with pytest.raises(CommandError, match="32 hex digits"):
        call_command("sync_org", "acme")
    with pytest.raises(CommandError, match="no such organization"):
        call_command("sync_org", ids.new_id(ids.ORGANIZATION))
    services[0].down = True
    with pytest.raises(CommandError, match=r"user_service at http://127\.0\.0\.1"):
        call_command("sync_org", "--all")
