"""Resolving what is stuck, and the audit that finds nothing left."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import DeliveryPolicy, Outcome
from carillon.contracts.status import Status
from carillon.errors import Reason
from carillon.settings import Environment
from gateway.deliveries import metrics
from gateway.deliveries.config import ReconcileSettings
from gateway.deliveries.models import DeadLetter
from gateway.deliveries.reconciler import Reconciler
from gateway.deliveries.services.reconciliation import (
    Reconciled,
    resolve_stuck,
    restore_promises,
)
from gateway.notifications.models import Notification
from gateway.outbox.database import Connection, connect
from gateway.outbox.models import OutboxMessage
from gateway.outbox.services.window import take_window
from gateway.tests.deliveries.conftest import Apply
from gateway.tests.factories import (
    make_event,
    make_notification,
    make_organization,
    make_outbox_message,
)
from gateway.tests.rabbitmq import eventually

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

NOW = datetime.now(UTC)
SETTINGS = ReconcileSettings.read(Environment(files=())).bounded(3600, 86_400)


def silent(seconds: float, *, queued_for: float | None = None, **fields: Any) -> Notification:
    """In flight, and without a word for so long."""
    return make_notification(
        **{
            "status": Status.QUEUED,
            "queued_at": NOW - timedelta(seconds=queued_for or seconds),
            "updated_at": NOW - timedelta(seconds=seconds),
            **fields,
        }
    )


def resolve(session: Connection) -> Reconciled:
    return resolve_stuck(session, SETTINGS, now=NOW)


@pytest.mark.parametrize("status", [Status.QUEUED, Status.PROCESSING])
def test_what_is_stuck_is_published_again_as_the_same_attempt(
    session: Connection, status: Status
) -> None:
    notification = silent(3700, status=status, attempt=3, lane=Lane.HIGH, priority=1)
    assert resolve(session) == Reconciled(requeued=1)
    row = OutboxMessage.objects.get()
    assert (row.notification_id, row.attempt, row.priority) == (notification.pk, 3, 8)
    assert row.available_at == NOW
    notification.refresh_from_db()
    assert (notification.status, notification.updated_at) == (status, NOW)
    # It has as long as before to answer.
    assert resolve(session) == Reconciled()


def test_who_has_waited_for_less_is_left_alone(session: Connection) -> None:
    silent(3500)
    assert resolve(session) == Reconciled()
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("status", [Status.SENT, Status.DELIVERED, Status.ACCEPTED])
def test_only_what_is_in_flight_can_be_stuck(session: Connection, status: Status) -> None:
    silent(90_000, status=status)
    assert resolve(session) == Reconciled()


def test_beyond_hope_it_fails_as_unknown_and_leaves_a_dead_letter(session: Connection) -> None:
    notification = silent(3700, queued_for=86_500)
    assert resolve(session) == Reconciled(unknown=1)
    notification.refresh_from_db()
    assert (notification.status, notification.reason) == (Status.FAILED, Reason.OUTCOME_UNKNOWN)
    assert DeadLetter.objects.get().reason == Reason.OUTCOME_UNKNOWN
    assert not OutboxMessage.objects.exists()


def test_what_may_be_sent_once_at_most_is_never_published_again(session: Connection) -> None:
    policy = DeliveryPolicy.AT_MOST_ONCE
    silent(80_000, delivery=policy)
    assert resolve(session) == Reconciled()
    silent(86_500, delivery=policy)
    assert resolve(session) == Reconciled(unknown=1)
    assert not OutboxMessage.objects.exists()


def test_what_was_requeued_is_published_even_if_its_time_is_over(session: Connection) -> None:
    """Its worker knows whether it was delivered in time."""

    silent(3700, expires_at=NOW - timedelta(seconds=60))
    resolve(session)
    window = take_window(session, most=10, now=datetime.now(UTC))
    assert (len(window.messages), len(window.expired)) == (1, 0)


def test_two_reconcilers_share_the_work(session: Connection) -> None:
    organization = make_organization()
    for _ in range(4):
        silent(3700, organization=organization)
    with connect("other", idle_in_transaction=30) as other:
        other.execute(
            "SELECT 1 FROM notifications_notification ORDER BY id LIMIT 2 FOR NO KEY UPDATE"
        )
        assert resolve(session) == Reconciled(requeued=2)
        other.rollback()
    assert resolve(session) == Reconciled(requeued=2)


@pytest.mark.parametrize("outcome", [Outcome.SENT, Outcome.DELIVERED, Outcome.BOUNCED])
def test_an_event_that_comes_after_all_makes_the_row_obsolete(
    session: Connection, apply: Apply, outcome: Outcome
) -> None:
    notification = silent(3700)
    resolve(session)
    apply(make_event(notification, outcome))
    window = take_window(session, most=10, now=datetime.now(UTC))
    assert (len(window.messages), len(window.obsolete)) == (0, 1)


def test_a_promise_without_its_row_is_restored(session: Connection) -> None:
    organization = make_organization()
    later = NOW + timedelta(hours=1)
    accepted = make_notification(organization)
    scheduled = make_notification(organization, status=Status.SCHEDULED, scheduled_at=later)
    retrying = make_notification(
        organization, status=Status.RETRYING, attempt=2, next_attempt_at=later
    )
    kept = make_outbox_message(make_notification(organization), due_in=60)
    assert restore_promises(session, SETTINGS, now=NOW) == Reconciled(requeued=3)
    due = dict(OutboxMessage.objects.values_list("notification_id", "available_at"))
    assert due == {
        accepted.pk: NOW,
        scheduled.pk: later,
        retrying.pk: later,
        kept.notification_id: kept.available_at,
    }
    assert OutboxMessage.objects.get(pk=retrying.pk).attempt == 2


def test_the_timer_resolves_by_itself() -> None:
    before = metrics.RECONCILED.labels("requeued")._value.get()
    silent(3700)
    settings = ReconcileSettings(interval=0.05, stuck_after=3600, give_up_after=86_400, most=1)
    with Reconciler(settings):
        assert eventually(OutboxMessage.objects.exists)
        assert eventually(lambda: metrics.RECONCILED.labels("requeued")._value.get() > before)


def run(name: str, *arguments: str) -> str:
    output = StringIO()
    call_command(name, *arguments, stdout=output)
    return output.getvalue()


def test_the_command_resolves_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILE_BATCH", "2")
    organization = make_organization()
    for _ in range(5):
        silent(30, organization=organization)
    make_notification(organization)
    told = run("reconcile", "--stuck-after", "10")
    assert told.startswith("5 published again, 0 failed as outcome_unknown, 1 put back")
    assert OutboxMessage.objects.count() == 6


def test_the_audit_adds_up() -> None:
    acme, umbrella = make_organization("Acme"), make_organization("Umbrella")
    for status in (Status.DELIVERED, Status.DELIVERED, Status.FAILED, Status.CANCELLED):
        make_notification(acme, status=status)
    make_notification(umbrella, status=Status.SENT)
    make_outbox_message(make_notification(umbrella))
    lines = [line.split() for line in run("audit_delivery").splitlines()]
    heading = lines[0]
    acme_line = dict(zip(heading, lines[1], strict=True))
    assert (acme_line["name"], acme_line["total"], acme_line["ended"]) == ("Acme", "4", "4")
    assert (acme_line["delivered"], acme_line["failed"], acme_line["cancelled"]) == ("2", "1", "1")
    umbrella_line = dict(zip(heading, lines[2], strict=True))
    assert (umbrella_line["total"], umbrella_line["ended"]) == ("2", "0")
    assert (umbrella_line["accepted"], umbrella_line["sent"]) == ("1", "1")
    with pytest.raises(CommandError, match="2 have not ended"):
        run("audit_delivery", "--settled")
    Notification.objects.filter(organization=umbrella).update(status=Status.EXPIRED)
    assert "Accepted is the sum of the ends" in run("audit_delivery", "--settled")


def test_the_audit_finds_what_nothing_would_ever_move() -> None:
    make_notification()
    with pytest.raises(CommandError, match="1 wait without a row"):
        run("audit_delivery")
    run("reconcile")
    assert "Accepted is the sum" in run("audit_delivery")


def test_what_is_stuck_is_found_by_its_index(session: Connection) -> None:
    silent(3700)
    session.execute("SET enable_seqscan = off")
    plan = session.execute(
        "EXPLAIN SELECT id FROM notifications_notification"
        " WHERE status IN ('queued', 'processing') AND updated_at <= now() ORDER BY updated_at"
    ).fetchall()
    assert "notification_in_flight" in str(plan)
