"""The monthly quota and the recipient's limit: exact, whatever Redis remembers."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from carillon.contracts import ids
from gateway.admission import reservations
from gateway.admission.claims import Claim
from gateway.admission.errors import QuotaExceeded
from gateway.config import RecipientLimit
from gateway.connections import redis_client
from gateway.notifications import storage
from gateway.notifications.models import Notification
from gateway.tests.calls import inline
from gateway.tests.conftest import Tenant, forget_connections, make_tenant
from gateway.tests.factories import make_notification
from gateway.tests.notifications.test_idempotency import at_once, quota_key
from gateway.tests.records import make_user

pytestmark = pytest.mark.integration

UNREACHABLE = "redis://127.0.0.1:1/0"


def give(tenant: Tenant, most: int | None) -> None:
    tenant.organization.monthly_quota = most
    tenant.organization.save()


def statuses(tenant: Tenant, count: int) -> list[int]:
    return [tenant.api.send(inline(to=f"u{n}@example.com")).status for n in range(count)]


@pytest.mark.django_db
def test_what_is_over_the_quota_is_429_until_the_month_ends(tenant: Tenant) -> None:
    give(tenant, 3)
    assert statuses(tenant, 4) == [202, 202, 202, 429]
    answer = tenant.api.send(inline())
    assert answer.error == (429, "quota_exceeded")
    assert 0 < int(answer.headers["Retry-After"]) <= 31 * 86_400
    assert Notification.objects.count() == 3


@pytest.mark.django_db
def test_the_headers_tell_what_is_left(tenant: Tenant) -> None:
    give(tenant, 1000)
    tenant.api.send(inline())
    answer = tenant.api.send(inline())
    assert '"month";q=1000;w=' in answer.headers["RateLimit-Policy"]
    assert '"month";r=998;t=' in answer.headers["RateLimit"]


@pytest.mark.django_db
def test_a_quota_of_none_is_the_plans(tenant: Tenant, configure: Any) -> None:
    from gateway.config import Plan

    configure(plans={"pro": Plan(6000, 2), "enterprise": Plan(6000, None)})
    assert statuses(tenant, 3) == [202, 202, 429]
    unlimited = make_tenant(tenant.users, tenant.templates, plan="enterprise")
    assert statuses(unlimited, 3) == [202, 202, 202]


@pytest.mark.django_db
def test_test_keys_use_none(tenant: Tenant) -> None:
    give(tenant, 1)
    assert [tenant.test_api.send(inline()).status for _ in range(3)] == [202] * 3
    assert statuses(tenant, 2) == [202, 429]


@pytest.mark.django_db
def test_refused_and_rejected_requests_use_none(tenant: Tenant) -> None:
    give(tenant, 1)
    tenant.users.add_user(tenant.id, make_user(external_id="u", preferences={"sms": False}))
    body = {"notification_type": "sms", "user_id": "u", "content": {"body": "B"}}
    assert tenant.api.send({**body, "user_id": "nobody"}).status == 404
    assert tenant.api.send(body).data["status"] == "rejected"
    assert statuses(tenant, 2) == [202, 429]


@pytest.mark.django_db
def test_redis_learns_from_postgresql_what_it_forgot(tenant: Tenant) -> None:
    give(tenant, 200)
    for _ in range(150):
        make_notification(tenant.organization)
    make_notification(tenant.organization, mode="test")
    make_notification(tenant.organization, status="rejected", reason="user_opted_out")
    make_notification(
        tenant.organization, created_at=datetime(2020, 1, 1, tzinfo=UTC), request_id="old"
    )
    answer = tenant.api.send(inline())
    assert '"month";r=49;' in answer.headers["RateLimit"]
    redis_client().flushdb()
    answer = tenant.api.send(inline())
    assert '"month";r=48;' in answer.headers["RateLimit"]


@pytest.mark.django_db
def test_near_the_limit_postgresql_decides(tenant: Tenant) -> None:
    """Redis undercounts by five; nobody gets a sixth of five."""
    give(tenant, 5)
    statuses(tenant, 5)
    redis_client().set(quota_key(tenant), 0)
    assert statuses(tenant, 3) == [429] * 3
    assert Notification.objects.count() == 5


@pytest.mark.django_db
def test_without_redis_postgresql_counts(tenant: Tenant, settings: Any) -> None:
    give(tenant, 3)
    assert statuses(tenant, 2) == [202, 202]
    settings.CARILLON = replace(settings.CARILLON, redis_url=UNREACHABLE)
    forget_connections()
    assert statuses(tenant, 2) == [202, 429]


@pytest.mark.django_db
def test_what_was_accepted_without_redis_counts_when_it_is_back(
    tenant: Tenant, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(tenant, 1000)
    statuses(tenant, 1)
    from gateway.admission import scripts

    def down(*_args: object) -> Any:
        raise scripts.RedisDown

    with monkeypatch.context() as outage:
        outage.setattr(scripts.Scripts, "run", down)
        assert statuses(tenant, 3) == [202] * 3
    assert '"month";r=995;' in tenant.api.send(inline()).headers["RateLimit"]


def test_nobody_gets_over_the_quota_at_once(committed_tenant: Tenant) -> None:
    give(committed_tenant, 20)
    answers = at_once(50, lambda: committed_tenant.api.send(inline(to=unique())))
    assert Counter(a.status for a in answers) == {202: 20, 429: 30}
    assert Notification.objects.count() == 20


@pytest.mark.parametrize("trouble", ["down", "empty"])
def test_nobody_gets_over_the_quota_at_once_in_an_outage(
    committed_tenant: Tenant, settings: Any, trouble: str
) -> None:
    give(committed_tenant, 20)
    statuses(committed_tenant, 10)
    if trouble == "empty":
        redis_client().flushdb()
    else:
        settings.CARILLON = replace(settings.CARILLON, redis_url=UNREACHABLE)
    forget_connections()
    answers = at_once(40, lambda: committed_tenant.api.send(inline(to=unique())))
    assert Counter(a.status for a in answers) == {202: 10, 429: 30}


def unique() -> str:
    return f"{ids.new_id('u')}@example.com"


def make_claim(tenant: Tenant, **fields: Any) -> Claim:
    return Claim(
        **{
            "notification_id": ids.new_uuid(),
            "organization_id": tenant.id,
            "request_id": "",
            "at": datetime.now(UTC),
            "quota": 1000,
            "recipient": None,
            "channel": "email",
            **fields,
        }
    )


def used(tenant: Tenant) -> int:
    return int(redis_client().get(quota_key(tenant)) or 0)


@pytest.mark.django_db
def test_reserving_and_releasing_twice_counts_once(tenant: Tenant) -> None:
    claim = make_claim(tenant)
    reservation = reservations.reserve(claim)
    reservations.reserve(claim)
    assert used(tenant) == 1
    reservations.release(reservation)
    reservations.release(reservation)
    assert used(tenant) == 0


@pytest.mark.django_db
def test_a_committed_reservation_cannot_be_released(tenant: Tenant) -> None:
    reservation = reservations.reserve(make_claim(tenant))
    reservations.commit(reservation)
    other = reservations.reserve(make_claim(tenant))
    reservations.release(reservation)
    assert used(tenant) == 2
    reservations.release(other)
    assert used(tenant) == 1


@pytest.mark.django_db
def test_abandoned_reservations_are_settled_by_what_is_stored(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes died: one after its insert, one before."""
    give(tenant, 1000)
    stored = make_notification(tenant.organization)
    stored_id = ids.parse_id(ids.NOTIFICATION, stored.pk)
    reservations.reserve(make_claim(tenant, notification_id=stored_id))
    redis_client().set(quota_key(tenant), 1)
    reservations.reserve(make_claim(tenant))
    assert used(tenant) == 2
    monkeypatch.setattr(reservations, "SUSPICIOUS_SECONDS", -1)
    tenant.api.send(inline())
    monkeypatch.undo()
    tenant.api.send(inline())
    assert used(tenant) == Notification.objects.count() == 3


@pytest.mark.django_db
def test_leaked_reservations_do_not_block_the_last_of_the_quota(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(tenant, 2)
    for _ in range(2):
        reservations.reserve(make_claim(tenant, quota=2))
    with pytest.raises(QuotaExceeded):
        reservations.reserve(make_claim(tenant, quota=2))
    monkeypatch.setattr(reservations, "SUSPICIOUS_SECONDS", -1)
    assert tenant.api.send(inline()).status == 202


@pytest.mark.django_db
def test_a_database_that_fails_costs_no_quota_for_long(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def fail(_new: object) -> bool:
        raise OperationalError("the database is gone")

    give(tenant, 1000)
    with monkeypatch.context() as outage:
        outage.setattr(storage, "insert", fail)
        assert tenant.api.send(inline(request_id="r")).error == (503, "service_unavailable")
    monkeypatch.setattr(reservations, "SUSPICIOUS_SECONDS", -1)
    assert tenant.api.send(inline(request_id="r")).status == 202
    monkeypatch.undo()
    tenant.api.send(inline())
    assert used(tenant) == Notification.objects.count() == 2


@pytest.mark.django_db
def test_a_recipient_is_not_flooded(tenant: Tenant, configure: Any) -> None:
    configure(recipient_limit=RecipientLimit(most=2, seconds=60, exempt_otp=True))
    user = tenant.users.add_user(tenant.id, make_user(external_id="ext"))
    body = {"notification_type": "sms", "content": {"body": "B"}}
    answers = [tenant.api.send({**body, "user_id": who}) for who in ("ext", user.user_id, "ext")]
    assert [a.status for a in answers] == [202, 202, 429]
    assert answers[-1].error == (429, "rate_limit_exceeded")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert "2 notifications in 60 seconds" in answers[-1].body["message"]
    # Another channel, and somebody else, are not affected.
    assert tenant.api.send(inline(user_id="ext", to=None)).status == 202
    assert tenant.api.send({**body, "to": "+447700900123"}).status == 202


@pytest.mark.django_db
def test_no_address_is_kept_in_redis(tenant: Tenant) -> None:
    tenant.api.send(inline(to="canary@example.com", request_id="canary@example.com"))
    kept = str(redis_client().keys("*"))
    assert "recipient" in kept
    assert "canary" not in kept


@pytest.mark.django_db
def test_refusal_by_the_recipients_limit_takes_no_quota(tenant: Tenant, configure: Any) -> None:
    configure(recipient_limit=RecipientLimit(most=1, seconds=60, exempt_otp=True))
    assert [tenant.api.send(inline()).status for _ in range(3)] == [202, 429, 429]
    assert used(tenant) == 1


@pytest.mark.django_db
def test_the_organizations_limit_is_429_with_retry_after(tenant: Tenant, configure: Any) -> None:
    from gateway.config import Plan

    configure(plans={"pro": Plan(requests_per_minute=3, monthly_quota=None)})
    answers = [tenant.api.get("/api/v1/organizations/me/") for _ in range(4)]
    assert [a.status for a in answers] == [200, 200, 200, 429]
    assert [a.headers["RateLimit"].split(";")[1] for a in answers] == ["r=2", "r=1", "r=0", "r=0"]
    assert answers[0].headers["RateLimit-Policy"] == '"minute";q=3;w=60'
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 20
    assert answers[-1].error == (429, "rate_limit_exceeded")
