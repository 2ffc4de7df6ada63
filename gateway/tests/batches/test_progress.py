"""How far a batch is: its counts, its state, and at what cost they are known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from carillon.contracts import ids
from carillon.contracts.status import Status
from gateway.batches.models import Batch
from gateway.batches.selectors import PROGRESS, Progress
from gateway.batches.shapes import State
from gateway.tests.batches.requests import BATCHES, accepted, inline, to
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_batch, make_copies, make_notification

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


def of(tenant: Tenant, batch: Batch, *statuses: Status, **fields: Any) -> None:
    """The batch's notifications, one of each status."""
    for status in statuses:
        make_notification(tenant.organization, batch_id=batch.pk, status=status, **fields)


def progress(tenant: Tenant, batch: Batch, query: str = "") -> dict[str, Any]:
    answer = tenant.api.get(f"{BATCHES}{batch.pk}/{query}")
    assert answer.status == 200, answer.body
    data: dict[str, Any] = answer.data
    return data


def test_what_was_accepted_is_shown(tenant: Tenant) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    body = inline(
        *to("a", "b"),
        {"user_id": "nobody"},
        category="news",
        request_id="r",
        scheduled_at=at.isoformat(),
        priority=2,
    )
    data = accepted(tenant, body)
    shown = tenant.api.get(f"{BATCHES}{data['batch_id']}/").data
    assert shown["state"] == "pending"
    assert shown["counts"] == {"scheduled": 2}
    assert (shown["total"], shown["accepted"], shown["refused"]) == (3, 2, 1)
    assert (shown["request_id"], shown["category"], shown["priority"]) == ("r", "news", 2)
    assert (shown["notification_type"], shown["template_code"]) == ("email", None)
    assert datetime.fromisoformat(shown["scheduled_at"]) == at
    assert shown["correlation_id"] == data["correlation_id"]
    assert shown["started_at"] is shown["finished_at"] is shown["cancelled_at"] is None
    assert "refusals" not in shown


def test_refusals_are_shown_to_who_asks(tenant: Tenant) -> None:
    data = accepted(tenant, inline(*to("a"), {"user_id": "nobody"}))
    path = f"{BATCHES}{data['batch_id']}/"
    assert tenant.api.get(f"{path}?refusals=true").data["refusals"] == data["refusals"]
    assert "refusals" not in tenant.api.get(f"{path}?refusals=false").data
    assert tenant.api.get(f"{path}?refusals=yes").error == (400, "validation_error")
    assert tenant.api.get(f"{path}?colour=red").error == (400, "validation_error")


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        ([], State.DONE),
        ([Status.ACCEPTED, Status.REJECTED], State.PENDING),
        ([Status.SCHEDULED], State.PENDING),
        ([Status.ACCEPTED, Status.QUEUED], State.SENDING),
        ([Status.ACCEPTED, Status.DELIVERED], State.SENDING),
        ([Status.PROCESSING], State.SENDING),
        ([Status.RETRYING, Status.FAILED], State.SENDING),
        ([Status.SENT, Status.DELIVERED], State.DONE),
        ([Status.FAILED, Status.BOUNCED, Status.EXPIRED, Status.REJECTED], State.DONE),
    ],
)
def test_states(tenant: Tenant, statuses: list[Status], state: State) -> None:
    batch = make_batch(tenant.organization)
    of(tenant, batch, *statuses)
    assert progress(tenant, batch)["state"] == state
    Batch.objects.filter(pk=batch.pk).update(cancelled_at=NOW)
    assert progress(tenant, batch)["state"] == State.CANCELLED


def test_times(tenant: Tenant) -> None:
    batch = make_batch(tenant.organization)
    second, minute = timedelta(seconds=1), timedelta(minutes=1)
    of(tenant, batch, Status.DELIVERED, queued_at=NOW, updated_at=NOW + second)
    of(tenant, batch, Status.QUEUED, queued_at=NOW + second, updated_at=NOW + minute)
    shown = progress(tenant, batch)
    assert datetime.fromisoformat(shown["started_at"]) == NOW
    assert shown["finished_at"] is None
    batch_of_done = make_batch(tenant.organization)
    of(tenant, batch_of_done, Status.DELIVERED, queued_at=NOW, updated_at=NOW + second)
    of(tenant, batch_of_done, Status.FAILED, queued_at=NOW + second, updated_at=NOW + minute)
    shown = progress(tenant, batch_of_done)
    assert datetime.fromisoformat(shown["finished_at"]) == NOW + minute


def test_only_its_own_notifications_count(tenant: Tenant, other_tenant: Tenant) -> None:
    batch, other = make_batch(tenant.organization), make_batch(tenant.organization)
    of(tenant, batch, Status.DELIVERED)
    of(tenant, other, Status.FAILED)
    make_notification(tenant.organization, status=Status.FAILED)
    make_notification(other_tenant.organization, batch_id=batch.pk)
    assert progress(tenant, batch)["counts"] == {"delivered": 1}


def test_it_is_counted_by_the_index(tenant: Tenant) -> None:
    """Among ten thousand others, a batch reads its own."""
    batch = make_batch(tenant.organization)
    of(tenant, batch, Status.ACCEPTED)
    others = make_notification(tenant.organization)
    make_copies(others, 10_000)
    organization = ids.parse_id(ids.ORGANIZATION, tenant.id)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_notification")
        cursor.execute(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {PROGRESS}",
            (organization, ids.parse_id(ids.BATCH, batch.pk)),
        )
        (found,) = cursor.fetchone()
    plan = str(found)
    assert "notification_batch" in plan
    assert "Seq Scan" not in plan


def test_what_is_gone_is_what_was_handed_over() -> None:
    counts = {Status.ACCEPTED: 1, Status.CANCELLED: 2, Status.SENT: 4, Status.RETRYING: 8}
    found = Progress(counts, None, None)
    assert (found.open, found.cancelled, found.gone) == (9, 2, 12)


def test_the_list_has_the_newest_first(tenant: Tenant, other_tenant: Tenant) -> None:
    batches = [
        make_batch(tenant.organization, created_at=NOW + timedelta(minutes=n), accepted=n)
        for n in range(3)
    ]
    make_batch(other_tenant.organization)
    answer = tenant.api.get(f"{BATCHES}?limit=2")
    assert [each["batch_id"] for each in answer.data] == [batches[2].pk, batches[1].pk]
    assert answer.data[0]["accepted"] == 2
    assert answer.body["meta"]["total"] == 3
    assert answer.body["meta"]["has_next"]
    answer = tenant.api.get(f"{BATCHES}?limit=2&page=2")
    assert [each["batch_id"] for each in answer.data] == [batches[0].pk]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("request_id=r1", [1]),
        ("template_code=t2", [2]),
        ("created_after=2026-01-05T09:31:00Z", [2, 1]),
        ("created_before=2026-01-05T09:31:00Z", [0]),
        ("request_id=r", []),
    ],
)
def test_filters(tenant: Tenant, query: str, found: list[int]) -> None:
    for n in range(3):
        make_batch(
            tenant.organization,
            request_id=f"r{n}",
            template_code=f"t{n}",
            created_at=NOW + timedelta(minutes=n),
        )
    answer = tenant.api.get(f"{BATCHES}?{query}")
    assert [each["request_id"] for each in answer.data] == [f"r{n}" for n in found]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "page=x", "created_after=yesterday", "state=done"]
)
def test_wrong_queries_are_400(tenant: Tenant, query: str) -> None:
    assert tenant.api.get(f"{BATCHES}?{query}").error == (400, "validation_error")


def test_a_list_costs_the_same_for_one_and_for_many(
    tenant: Tenant, django_assert_num_queries: Any
) -> None:
    tenant.api.get(BATCHES)
    for _ in range(30):
        make_batch(tenant.organization)
    with django_assert_num_queries(2):
        tenant.api.get(BATCHES)


def test_anothers_batch_is_404(tenant: Tenant, other_tenant: Tenant) -> None:
    batch = make_batch(tenant.organization)
    for path in (f"{BATCHES}{batch.pk}/", f"{BATCHES}{ids.new_id(ids.BATCH)}/", f"{BATCHES}x/"):
        assert other_tenant.api.get(path).error == (404, "batch_not_found")
        assert other_tenant.api.post(f"{path}cancel/").error == (404, "batch_not_found")
    assert other_tenant.api.get(BATCHES).data == []


def test_reading_needs_a_key_that_may(tenant: Tenant) -> None:
    batch = make_batch(tenant.organization)
    for path in (BATCHES, f"{BATCHES}{batch.pk}/"):
        assert tenant.api_with("templates").get(path).error == (403, "insufficient_scope")
        assert tenant.api_with("read").get(path).status == 200
        assert tenant.api_with("send").get(path).status == 200
