"""No route ever shows one organization's object to another: every route, with the other's key."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from carillon.contracts import ids
from gateway.notifications.models import Notification
from gateway.organizations.models import APIKey
from gateway.provider_accounts.models import ProviderAccount
from gateway.tests.calls import NOTIFICATIONS, inline
from gateway.tests.conftest import Tenant
from gateway.tests.factories import (
    make_batch,
    make_dead_letter,
    make_notification,
    make_provider_account,
)
from gateway.tests.records import make_user

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

CANARY = "canary-of-acme"
OWN_IDS = re.compile("{(key|dead_letter|batch|provider_account)_id}")


def routes() -> Iterator[tuple[str, str]]:
    schema = json.loads(Client().get("/api/schema/").content)
    for path, operations in schema["paths"].items():
        for method in operations:
            if method in {"get", "post", "put", "patch", "delete"}:
                yield method.upper(), path


def fill(path: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", value)
    assert "{" not in path, f"no value for a parameter of {path}"
    return path


def test_no_route_shows_anothers_object(tenant: Tenant, other_tenant: Tenant) -> None:
    notification = make_notification(
        tenant.organization, request_id=CANARY, user_id=CANARY, metadata={"x": CANARY}
    )
    letter = make_dead_letter(
        tenant.organization, request_id=f"{CANARY}-2", letter={"error_message": CANARY}
    )
    batch = make_batch(tenant.organization, request_id=CANARY, template_code=CANARY)
    key = APIKey.objects.get(prefix=tenant.api.key[:19])
    APIKey.objects.filter(pk=key.pk).update(name=CANARY)
    tenant.users.add_user(tenant.id, make_user(user_id="user_of_acme", name=CANARY))
    account = make_provider_account(tenant.organization, name=CANARY)
    values = {
        "notification_id": notification.pk,
        "dead_letter_id": letter.pk,
        "batch_id": batch.pk,
        "key_id": key.pk,
        "provider_account_id": account.pk,
        "identifier": "user_of_acme",
        "device_id": ids.new_id(ids.DEVICE),
        "suppression_id": ids.new_id(ids.SUPPRESSION),
        "code": "welcome_email",
    }
    bodies: dict[str, Any] = {
        f"{NOTIFICATIONS}status/": {"notification_id": notification.pk},
        NOTIFICATIONS: inline(user_id="user_of_acme", to=None),
    }
    walked = 0
    for method, template in routes():
        path = fill(template, values)
        body = bodies.get(path, {}) if method in {"POST", "PUT", "PATCH"} else None
        answer = other_tenant.api.call(method, path, body)
        assert CANARY not in json.dumps(answer.body), (method, path)
        assert tenant.id not in json.dumps(answer.body), (method, path)
        if template.startswith("/api/v1/notifications/{") or OWN_IDS.search(template):
            assert answer.status == 404, (method, path)
        walked += 1
    assert walked >= 30
    # Nothing of it changed either, and the services were only ever asked for the caller's.
    notification.refresh_from_db()
    assert APIKey.objects.get(pk=key.pk).is_active
    assert ProviderAccount.objects.get(pk=account.pk).name == CANARY
    letter.refresh_from_db()
    assert letter.replayed_at is None
    assert Notification.objects.filter(organization_id=tenant.id).count() == 2
    for double in (tenant.users, tenant.templates):
        asked = {c.headers.get("x-organization-id") for c in double.calls} - {None}
        assert asked == {other_tenant.id}


@pytest.mark.parametrize("query", ["user_id", "search", "template_code"])
def test_filters_find_nothing_of_anothers(tenant: Tenant, other_tenant: Tenant, query: str) -> None:
    make_notification(tenant.organization, request_id=CANARY, user_id=CANARY, template_code=CANARY)
    answer = other_tenant.api.get(f"{NOTIFICATIONS}?{query}={CANARY}")
    assert (answer.data, answer.body["meta"]["total"]) == ([], 0)
    assert len(tenant.api.get(f"{NOTIFICATIONS}?{query}={CANARY}").data) == 1
