"""Whether the platform's providers come behind an organization's own accounts is its own choice."""

import json
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from gateway.organizations.models import Organization, Scope
from gateway.tests.calls import inline
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_provider_account

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

ME = "/api/v1/organizations/me/"


def chosen(tenant: Tenant, *channels: str) -> Any:
    return tenant.api.call("PATCH", ME, {"platform_stand_ins": list(channels)})


def told_workers(tenant: Tenant, channel: str) -> Any:
    headers = {
        "X-Internal-Secret": django_settings.CARILLON.internal_secrets[0],
        "X-Organization-ID": tenant.id,
    }
    response = Client().get(f"/internal/provider-accounts/?channel={channel}", headers=headers)
    return json.loads(response.content)["data"]


def test_it_is_off_until_somebody_says_so(tenant: Tenant, other_tenant: Tenant) -> None:
    assert tenant.api.get(ME).data["platform_stand_ins"] == []
    assert told_workers(tenant, "email") == {"accounts": [], "platform_stands_in": False}
    answer = chosen(tenant, "sms", "email", "sms")
    assert (answer.status, answer.data["platform_stand_ins"]) == (200, ["email", "sms"])
    assert tenant.api.get(ME).data["platform_stand_ins"] == ["email", "sms"]
    assert told_workers(tenant, "email")["platform_stands_in"] is True
    assert told_workers(tenant, "push")["platform_stands_in"] is False
    assert told_workers(other_tenant, "email")["platform_stands_in"] is False
    assert chosen(tenant).data["platform_stand_ins"] == []
    assert told_workers(tenant, "email")["platform_stands_in"] is False


@pytest.mark.parametrize(
    "body",
    [
        {"platform_stand_ins": ["pigeon"]},
        {"platform_stand_ins": "email"},
        {"platform_stand_ins": ["email"] * 5},
        {"platform_stand_ins": None},
        {"platform_stand_ins": [], "name": "Other"},
        {},
    ],
)
def test_anything_else_changes_nothing(body: dict[str, Any], tenant: Tenant) -> None:
    chosen(tenant, "email")
    answer = tenant.api.call("PATCH", ME, body)
    assert answer.status == 400, answer.body
    assert Organization.objects.get(pk=tenant.id).platform_stand_ins == ["email"]


def test_only_a_live_key_of_an_admin_decides(tenant: Tenant) -> None:
    body = {"platform_stand_ins": ["email"]}
    assert tenant.test_api.call("PATCH", ME, body).error == (403, "live_key_required")
    weak = tenant.api_with(Scope.SEND, Scope.READ)
    assert weak.call("PATCH", ME, body).error == (403, "insufficient_scope")
    assert Organization.objects.get(pk=tenant.id).platform_stand_ins == []


def test_a_plan_shows_who_would_be_asked_in_turn(tenant: Tenant, configure: Any) -> None:
    configure(providers={"email": ("ses", "smtp")})
    body = inline(dry_run=True)
    assert _planned(tenant, body) == (["ses", "smtp"], [])
    make_provider_account(tenant.organization)
    assert _planned(tenant, body) == (["sendgrid"], [])
    chosen(tenant, "email")
    assert _planned(tenant, body) == (["sendgrid", "ses", "smtp"], ["ses", "smtp"])


def _planned(tenant: Tenant, body: Any) -> tuple[list[str], list[str]]:
    data = tenant.api.send(body).data
    return data["providers"], data["stand_ins"]
