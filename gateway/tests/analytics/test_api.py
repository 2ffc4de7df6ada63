"""The analytics call, and the usage of an organization."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from carillon.contracts.status import Status
from gateway.admission.months import Month
from gateway.analytics import selectors
from gateway.analytics.latency import RELATIVE_ERROR
from gateway.analytics.services.rollups import fold_changes
from gateway.notifications.models import Notification
from gateway.organizations.services import save_organization
from gateway.outbox.database import connect
from gateway.tests.calls import inline
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_notification

pytestmark = [pytest.mark.integration]

ANALYTICS = "/api/v1/notifications/analytics/"
USAGE = "/api/v1/organizations/me/usage/"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z"}


def fold() -> None:
    with connect("analytics", idle_in_transaction=30) as session:
        while fold_changes(session, most=1_000):
            pass


def ask(tenant: Tenant, **parameters: str) -> Any:
    answer = tenant.api.get(f"{ANALYTICS}?{urlencode({**DAY, **parameters})}")
    assert answer.status == 200, answer.body
    return answer.data


def sent(tenant: Tenant, minutes: float = 0, seconds: float | None = None, **fields: Any) -> None:
    created = NOON + timedelta(minutes=minutes)
    if seconds is not None:
        delivered = created + timedelta(seconds=seconds)
        fields = {"status": Status.DELIVERED, "delivered_at": delivered, **fields}
    make_notification(tenant.organization, created_at=created, **fields)


def test_counts_rates_and_times(committed_tenant: Tenant) -> None:
    tenant = committed_tenant
    for seconds in range(1, 21):
        sent(tenant, seconds=seconds)
    sent(tenant, status=Status.FAILED, channel="sms", template_code="otp")
    sent(tenant, 90, status=Status.BOUNCED)
    sent(tenant, 90, status=Status.REJECTED, reason="user_opted_out")
    sent(tenant, 90, status=Status.CANCELLED)
    sent(tenant, 90, status=Status.QUEUED)
    fold()
    data = ask(tenant)
    assert (data["from"], data["to"]) == (DAY["from"], DAY["to"])
    assert (data["bucket"], data["mode"], data["groups"]) == ("hour", "live", [])
    totals = data["totals"]
    assert totals["total"] == 25
    assert totals["by_status"] == {
        "queued": 1, "delivered": 20, "failed": 1, "bounced": 1, "rejected": 1, "cancelled": 1,
    }  # fmt: skip
    assert totals["delivery_rate"] == round(20 / 22, 4)
    times = totals["time_to_delivery"]
    assert times["count"] == 20
    assert times["median_seconds"] == pytest.approx(10, rel=RELATIVE_ERROR + 0.001)
    assert times["p95_seconds"] == pytest.approx(19, rel=RELATIVE_ERROR + 0.001)
    first, second = data["series"]
    assert (first["start"], first["total"]) == ("2026-03-01T12:00:00Z", 21)
    assert (second["start"], second["total"]) == ("2026-03-01T13:00:00Z", 4)
    assert (second["delivery_rate"], second["time_to_delivery"]) == (0.0, None)


def test_groups_and_filters(committed_tenant: Tenant) -> None:
    tenant = committed_tenant
    for template in ("welcome", "welcome", "otp"):
        sent(tenant, template_code=template)
    sent(tenant, channel="sms")
    fold()
    by_both = ask(tenant, group_by="channel,template_code")["groups"]
    found = [(each["channel"], each["template_code"], each["total"]) for each in by_both]
    assert found == [("email", "welcome", 2), ("email", "otp", 1), ("sms", "", 1)]
    by_channel = ask(tenant, group_by="channel")
    assert [(g["channel"], g["total"]) for g in by_channel["groups"]] == [("email", 3), ("sms", 1)]
    assert "template_code" not in by_channel["groups"][0]
    assert [(p["channel"], p["total"]) for p in by_channel["series"]] == [("email", 3), ("sms", 1)]
    assert ask(tenant, channel="sms")["totals"]["total"] == 1
    assert ask(tenant, template_code="welcome")["totals"]["total"] == 2
    assert ask(tenant, template_code="welcome", channel="sms")["totals"]["total"] == 0


def test_days_and_what_lies_outside(committed_tenant: Tenant) -> None:
    tenant = committed_tenant
    for days in (-1, 0, 0, 1):
        sent(tenant, days * 24 * 60)
    fold()
    data = ask(tenant, bucket="day", **{"from": "2026-03-01T10:00:00+02:00"})
    assert [(p["start"], p["total"]) for p in data["series"]] == [("2026-03-01T00:00:00Z", 2)]
    assert data["from"] == "2026-03-01T00:00:00Z"
    data = ask(tenant, **{"from": "2026-03-01T12:30:00Z", "to": "2026-03-01T12:31:00Z"})
    assert (data["from"], data["to"]) == ("2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z")
    assert data["totals"]["total"] == 2


def test_a_key_sees_its_own_organization_and_mode(
    committed_tenant: Tenant, user_double: Any
) -> None:
    tenant = committed_tenant
    make_notification(created_at=NOON)
    sent(tenant)
    sent(tenant, mode="test", channel="sms")
    fold()
    assert ask(tenant)["totals"]["total"] == 1
    path = f"{ANALYTICS}?{urlencode(DAY)}"
    sandbox = tenant.test_api.get(path).data
    assert (sandbox["mode"], sandbox["totals"]["total"]) == ("test", 1)
    assert tenant.api.get(f"{path}&mode=test").data["totals"]["total"] == 1


@pytest.mark.django_db
def test_the_notifications_are_not_looked_at(tenant: Tenant) -> None:
    tenant.api.get(ANALYTICS)
    with CaptureQueriesContext(connection) as captured:
        assert tenant.api.get(f"{ANALYTICS}?bucket=day&group_by=channel").status == 200
    texts = [query["sql"] for query in captured.captured_queries]
    assert any("analytics_hourlycount" in text for text in texts)
    assert not any("notifications_notification" in text for text in texts)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("from=yesterday", "from"),
        ("from=2026-03-01T00:00:00", "from"),
        ("from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "to"),
        ("from=2026-03-01T00:00:00Z&to=2026-03-01T00:00:00Z", "to"),
        ("from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z", "from"),
        ("bucket=day&from=2020-01-01T00:00:00Z", "from"),
        ("bucket=minute", "bucket"),
        ("group_by=status", "group_by"),
        ("group_by=channel,channel", "group_by"),
        ("group_by=channel,", "group_by"),
        ("group_by=hour;drop", "group_by"),
        ("channel=fax", "channel"),
        ("mode=prod", "mode"),
        ("template_code=%00", "template_code"),
        ("page=1", "page"),
        ("organization=org_1", "organization"),
        ("bucket=day&bucket=hour", "bucket"),
    ],
)
def test_a_bad_question_is_400_and_named(tenant: Tenant, query: str, named: str) -> None:
    answer = tenant.api.get(f"{ANALYTICS}?{query}")
    assert (answer.error, list(answer.details)) == ((400, "validation_error"), [named])


def test_more_than_can_be_shown_is_refused(
    committed_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "ROWS_MOST", 2)
    for template in ("a", "b", "c"):
        sent(committed_tenant, template_code=template)
    fold()
    assert ask(committed_tenant)["totals"]["total"] == 3
    answer = committed_tenant.api.get(
        f"{ANALYTICS}?{urlencode({**DAY, 'group_by': 'template_code'})}"
    )
    assert (answer.error, list(answer.details)) == ((400, "validation_error"), ["group_by"])


@pytest.mark.django_db
def test_reading_is_needed(tenant: Tenant) -> None:
    assert tenant.api_with("send").get(ANALYTICS).error == (403, "insufficient_scope")
    assert tenant.api_with("read").get(ANALYTICS).status == 200


def test_usage_is_what_was_taken(committed_tenant: Tenant) -> None:
    tenant = committed_tenant
    tenant.organization.monthly_quota = 1_000
    save_organization(tenant.organization)
    for number in range(3):
        assert tenant.api.send(inline(to=f"user-{number}@example.com")).status == 202
    assert tenant.test_api.send(inline()).status == 202
    fold()
    month = Month.of(datetime.now(UTC))
    data = tenant.api.get(USAGE).data
    assert data["mode"] == "live"
    assert data["quota"] == {
        "month": month.name,
        "limit": 1_000,
        "used": 3,
        "remaining": 997,
        "resets_at": month.end.isoformat().replace("+00:00", "Z"),
    }
    assert data["requests_per_minute"]["limit"] == 6_000
    assert 0 < data["requests_per_minute"]["remaining"] < 6_000
    assert (data["counts"], data["total"]) == ({"email": {"accepted": 3}}, 3)
    sandbox = tenant.test_api.get(USAGE).data
    assert sandbox["quota"]["used"] == 0
    assert sandbox["quota"]["limit"] is None
    assert sandbox["counts"] == {"email": {"accepted": 1}}


def test_usage_without_redis_or_without_a_limit(
    committed_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.admission.scripts import RedisDown, scripts

    tenant = committed_tenant
    for number in range(2):
        assert tenant.api.send(inline(to=f"user-{number}@example.com")).status == 202
    make_notification(tenant.organization, status="rejected", reason="suppressed")
    fold()

    def down(*_arguments: object) -> None:
        raise RedisDown

    monkeypatch.setattr(scripts(), "command", down)
    assert tenant.api.get(USAGE).data["quota"]["used"] == 2
    tenant.organization.plan = "enterprise"
    save_organization(tenant.organization)
    quota = tenant.api.get(USAGE).data["quota"]
    assert (quota["limit"], quota["remaining"], quota["used"]) == (None, None, 2)


def test_usage_is_of_this_month(committed_tenant: Tenant) -> None:
    tenant = committed_tenant
    long_ago = Month.of(datetime.now(UTC)).start - timedelta(seconds=1)
    Notification.objects.all().delete()
    make_notification(tenant.organization, created_at=long_ago)
    fold()
    data = tenant.api.get(USAGE).data
    assert (data["total"], data["counts"], data["quota"]["used"]) == (0, {}, 0)
