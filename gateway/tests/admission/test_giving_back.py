"""What is cancelled before it was sent costs nothing; what was sent stays counted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carillon.contracts import ids
from carillon.contracts.records import CategoryPolicy
from carillon.contracts.status import Status
from carillon.errors import Reason
from gateway.admission import scripts
from gateway.connections import redis_client
from gateway.notifications.counting import count_since
from gateway.notifications.models import DeletedCount
from gateway.tests.calls import NOTIFICATIONS, inline
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_notification
from gateway.tests.notifications.test_idempotency import quota_key

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

NEWS = {"news": CategoryPolicy(cap_limit=1, cap_seconds=3600)}


def give(tenant: Tenant, most: int) -> None:
    tenant.organization.monthly_quota = most
    tenant.organization.save()


def used(tenant: Tenant) -> int:
    return int(redis_client().get(quota_key(tenant)) or 0)


def counted(tenant: Tenant) -> int:
    organization = ids.parse_id(ids.ORGANIZATION, tenant.id)
    assert organization is not None
    return count_since(organization, datetime.now(UTC) - timedelta(days=1))


def later(**fields: object) -> dict[str, object]:
    return inline(scheduled_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat(), **fields)


def cancel(tenant: Tenant, notification_id: str) -> int:
    return tenant.api.post(f"{NOTIFICATIONS}{notification_id}/cancel/").status


@pytest.mark.parametrize("most", [2, 1_000])
def test_a_cancelled_notification_gives_its_quota_back_once(tenant: Tenant, most: int) -> None:
    give(tenant, most)
    first, second = (tenant.api.send(later()).data["notification_id"] for _ in range(2))
    assert (used(tenant), counted(tenant)) == (2, 2)
    assert [cancel(tenant, first) for _ in range(3)] == [200] * 3
    assert (used(tenant), counted(tenant)) == (1, 1)
    assert tenant.api.send(later()).status == 202
    assert tenant.api.send(later()).status == (429 if most == 2 else 202)
    # What was reserved of it is settled, and not taken back again.
    assert cancel(tenant, second) == 200
    redis_client().delete(quota_key(tenant))
    tenant.api.send(later())
    assert used(tenant) == counted(tenant)


def test_what_was_queued_stays_counted(tenant: Tenant) -> None:
    give(tenant, 1_000)
    tenant.api.send(inline())
    now = datetime.now(UTC)
    for fields in (
        {"queued_at": now, "status": "retrying"},
        {"queued_at": None, "attempt": 2, "status": "retrying"},
    ):
        notification = make_notification(tenant.organization, **fields)
        redis_client().incr(quota_key(tenant))
        assert cancel(tenant, notification.pk) == 200
    assert (used(tenant), counted(tenant)) == (3, 3)


def test_a_cap_is_given_back_too(tenant: Tenant) -> None:
    tenant.users.decide(tenant.id, categories=NEWS)
    first = tenant.api.send(later(category="news")).data["notification_id"]
    assert tenant.api.send(later(category="news")).data["reason"] == "frequency_capped"
    assert cancel(tenant, first) == 200
    assert tenant.api.send(later(category="news")).data["status"] == "scheduled"


def test_a_test_key_gives_no_quota_back(tenant: Tenant) -> None:
    give(tenant, 1_000)
    tenant.api.send(later())
    sent = tenant.test_api.send(later()).data["notification_id"]
    assert tenant.test_api.post(f"{NOTIFICATIONS}{sent}/cancel/").status == 200
    assert used(tenant) == 1


def test_without_redis_postgresql_knows(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_args: object) -> Any:
        raise scripts.RedisDown

    give(tenant, 1)
    sent = tenant.api.send(later()).data["notification_id"]
    with monkeypatch.context() as outage:
        outage.setattr(scripts.Scripts, "run", down)
        assert cancel(tenant, sent) == 200
        assert tenant.api.send(later()).status == 202
        assert tenant.api.send(later()).status == 429


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({"status": Status.DELIVERED, "queued_at": datetime.now(UTC)}, 1),
        ({"status": Status.FAILED, "queued_at": datetime.now(UTC), "attempt": 5}, 1),
        ({"status": Status.CANCELLED}, 0),
        ({"status": Status.REJECTED, "reason": Reason.USER_OPTED_OUT.value}, 0),
    ],
)
def test_deleting_gives_nothing_back(tenant: Tenant, fields: dict[str, Any], counts: int) -> None:
    start = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    organization = ids.parse_id(ids.ORGANIZATION, tenant.id)
    assert organization
    for _ in range(2):
        notification = make_notification(tenant.organization, **fields)
        before = count_since(organization, start)
        assert tenant.api.call("DELETE", f"{NOTIFICATIONS}{notification.pk}/").status in {200, 204}
        assert count_since(organization, start) == before
    assert count_since(organization, start) == 2 * counts
    assert DeletedCount.objects.count() == counts
