"""Cancelling a batch: what the relay has not taken is not sent, and what it has is told."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carillon.contracts.status import Status
from gateway.batches.models import Batch
from gateway.notifications.models import Notification
from gateway.notifications.services import locking
from gateway.outbox.database import BY_INDEX, Connection, connect
from gateway.outbox.models import OutboxMessage
from gateway.tests.batches.requests import BATCHES, BULK, accepted, inline, to
from gateway.tests.calls import Answer
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_batch, make_notification, make_outbox_message
from gateway.tests.notifications.test_changes_races import (
    CONFIRMED,
    Background,
    background,
    settle,
    take,
    wait_until_blocked,
)
from gateway.tests.threads import at_once

__all__ = ["background"]

pytestmark = [pytest.mark.integration]


@pytest.fixture
def relay(committed_tenant: Tenant) -> Iterator[Connection]:
    """A session as the relay has it."""
    session = connect("relay", idle_in_transaction=30, options=BY_INDEX)
    yield session
    session.close()


def cancel(tenant: Tenant, batch_id: str) -> Answer:
    return tenant.api.post(f"{BATCHES}{batch_id}/cancel/")


@pytest.mark.django_db
def test_what_waits_is_cancelled(tenant: Tenant) -> None:
    at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    for body in (inline(*to(*range(20))), inline(*to(*range(20, 40)), scheduled_at=at)):
        batch_id = accepted(tenant, body)["batch_id"]
        answer = cancel(tenant, batch_id)
        assert answer.status == 200
        assert answer.data == {
            "batch_id": batch_id,
            "state": "cancelled",
            "cancelled": 20,
            "gone": 0,
            "counts": {"cancelled": 20},
        }
    assert not OutboxMessage.objects.exists()
    notification = Notification.objects.first()
    assert notification is not None
    assert (notification.status, notification.reason) == ("cancelled", "cancelled")


@pytest.mark.django_db
def test_a_repeat_says_the_same(tenant: Tenant) -> None:
    batch_id = accepted(tenant, inline(*to("a")))["batch_id"]
    first = cancel(tenant, batch_id)
    cancelled_at = Batch.objects.get().cancelled_at
    assert cancel(tenant, batch_id).data == first.data
    assert Batch.objects.get().cancelled_at == cancelled_at
    assert cancelled_at is not None


@pytest.mark.django_db
def test_what_is_gone_is_counted(tenant: Tenant) -> None:
    batch = make_batch(tenant.organization)
    for status in Status:
        notification = make_notification(
            tenant.organization, batch_id=batch.pk, status=status, reason=""
        )
        if status in {Status.SCHEDULED, Status.ACCEPTED, Status.RETRYING}:
            make_outbox_message(notification)
    answer = cancel(tenant, batch.pk)
    assert answer.data["cancelled"] == 4
    # All but what was rejected and never left.
    assert answer.data["gone"] == len(Status) - 5
    assert answer.data["counts"]["queued"] == 1
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_what_is_all_gone_is_not_called_cancelled(tenant: Tenant) -> None:
    batch = make_batch(tenant.organization)
    make_notification(tenant.organization, batch_id=batch.pk, status=Status.DELIVERED)
    answer = cancel(tenant, batch.pk)
    assert (answer.status, answer.data["state"], answer.data["gone"]) == (200, "done", 1)


@pytest.mark.django_db
def test_others_are_left_alone(tenant: Tenant) -> None:
    batch_id = accepted(tenant, inline(*to("a")))["batch_id"]
    accepted(tenant, inline(*to("b")))
    tenant.api.accepted(to="c@example.com")
    cancel(tenant, batch_id)
    assert Notification.objects.filter(status="accepted").count() == 2
    assert OutboxMessage.objects.count() == 2


@pytest.mark.django_db
def test_cancelling_needs_a_key_that_may(tenant: Tenant) -> None:
    batch_id = accepted(tenant, inline(*to("a")))["batch_id"]
    path = f"{BATCHES}{batch_id}/cancel/"
    assert tenant.api_with("read").post(path).error == (403, "insufficient_scope")
    assert tenant.test_api.post(path).error == (403, "live_key_required")
    assert tenant.api.post(path, {"reason": "x"}).error == (400, "validation_error")
    assert Notification.objects.get().status == "accepted"
    own = tenant.test_api.post(BULK, inline(*to("a"))).data["batch_id"]
    assert tenant.test_api.post(f"{BATCHES}{own}/cancel/").data["cancelled"] == 1


def test_what_was_never_queued_gives_its_quota_back(committed_tenant: Tenant) -> None:
    """As a single notification that is cancelled does."""
    committed_tenant.organization.monthly_quota = 2
    committed_tenant.organization.save()
    batch_id = accepted(committed_tenant, inline(*to("a", "b")))["batch_id"]
    assert committed_tenant.api.post(BULK, inline(*to("c"))).status == 400
    for _ in range(2):
        cancel(committed_tenant, batch_id)
    assert accepted(committed_tenant, inline(*to("c", "d")))["accepted"] == 2
    assert committed_tenant.api.post(BULK, inline(*to("e"))).status == 400


def test_what_the_relay_holds_is_waited_for_and_the_rest_is_not(
    committed_tenant: Tenant, relay: Connection, background: Background
) -> None:
    batch_id = accepted(committed_tenant, inline(*to(*range(700))))["batch_id"]
    window = take(relay)
    assert len(window.messages) == 500
    answer = background(cancel, committed_tenant, batch_id)
    wait_until_blocked(answer)
    # Committed already, while the relay publishes.
    assert Notification.objects.filter(status="cancelled").count() == 200
    settle(relay, window, *[CONFIRMED] * 500)
    assert answer.result().data["counts"] == {"queued": 500, "cancelled": 200}
    assert (answer.result().data["cancelled"], answer.result().data["gone"]) == (200, 500)
    assert not OutboxMessage.objects.exists()


def test_what_the_relay_gives_back_is_cancelled_too(
    committed_tenant: Tenant, relay: Connection, background: Background
) -> None:
    batch_id = accepted(committed_tenant, inline(*to("a", "b")))["batch_id"]
    take(relay)
    answer = background(cancel, committed_tenant, batch_id)
    wait_until_blocked(answer)
    relay.rollback()
    assert answer.result().data["counts"] == {"cancelled": 2}
    assert take(relay).size == 0


def test_a_relay_that_does_not_let_go_is_told_of(
    committed_tenant: Tenant, relay: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "LOCK_WAIT_MS", 50)
    batch_id = accepted(committed_tenant, inline(*to(*range(600))))["batch_id"]
    take(relay)
    answer = cancel(committed_tenant, batch_id)
    assert answer.error == (409, "notification_busy")
    assert Notification.objects.filter(status="cancelled").count() == 100
    relay.rollback()
    assert cancel(committed_tenant, batch_id).data["cancelled"] == 600


def test_cancelling_at_once_cancels_once(committed_tenant: Tenant) -> None:
    batch_id = accepted(committed_tenant, inline(*to(*range(300))))["batch_id"]
    calls: list[Any] = [lambda: cancel(committed_tenant, batch_id)] * 6
    answers = at_once(calls)
    assert {answer.status for answer in answers} == {200}
    assert all(answer.data["cancelled"] == 300 for answer in answers)
    assert not OutboxMessage.objects.exists()
