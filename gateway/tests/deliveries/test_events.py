"""Applying batches of events to the real PostgreSQL."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg
import pytest

from carillon.contracts import ids
from carillon.contracts.lanes import Lane
from carillon.contracts.messages import Outcome
from carillon.contracts.status import Status
from carillon.errors import Reason
from gateway.deliveries.models import DeadLetter, DeliveryAttempt
from gateway.deliveries.services import batch_sql
from gateway.deliveries.services.events import apply_events
from gateway.notifications.models import Notification
from gateway.outbox.database import Connection, connect
from gateway.outbox.models import OutboxMessage
from gateway.tests.deliveries.conftest import Apply, read
from gateway.tests.factories import (
    make_copies,
    make_event,
    make_notification,
    make_organization,
    make_outbox_message,
)
from gateway.tests.policies import POLICIES

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def queued(**fields: Any) -> Notification:
    return make_notification(**{"status": Status.QUEUED, **fields})


def test_a_delivered_notification_and_its_attempt(apply: Apply) -> None:
    notification = queued()
    event = make_event(
        notification, provider_message_id="<1@x>", possible_duplicate=True, duration_ms=12.5
    )
    applied = apply(event)
    notification.refresh_from_db()
    assert notification.status == Status.DELIVERED
    assert notification.delivered_at == notification.sent_at == event.occurred_at
    assert (notification.provider, notification.provider_message_id) == ("smtp", "<1@x>")
    attempt = DeliveryAttempt.objects.get()
    assert (attempt.notification_id, attempt.number) == (notification.pk, 1)
    assert (attempt.channel, attempt.provider) == ("email", "smtp")
    assert (attempt.outcome, attempt.reason) == (Outcome.DELIVERED, "")
    assert (attempt.started_at, attempt.finished_at) == (event.started_at, event.occurred_at)
    assert (attempt.duration_ms, attempt.possible_duplicate) == (12.5, True)
    assert attempt.provider_message_id == "<1@x>"
    assert (len(applied.new), len(applied.moved), applied.repeated, applied.late) == (1, 1, 0, 0)


def test_a_batch_moves_each_notification_by_its_own_event(apply: Apply) -> None:
    organization = make_organization()
    made = {outcome: queued(organization=organization) for outcome in Outcome}
    apply(*(make_event(made[outcome], outcome) for outcome in Outcome))
    for outcome, status in {
        Outcome.SENT: Status.SENT,
        Outcome.DELIVERED: Status.DELIVERED,
        Outcome.DEFERRED: Status.RETRYING,
        Outcome.FAILED: Status.FAILED,
        Outcome.BOUNCED: Status.BOUNCED,
        Outcome.REJECTED: Status.REJECTED,
        Outcome.EXPIRED: Status.EXPIRED,
    }.items():
        assert Notification.objects.get(pk=made[outcome].pk).status == status, outcome


def test_what_failed_or_bounced_leaves_a_dead_letter_and_nothing_else_does(apply: Apply) -> None:
    organization = make_organization()
    made = {outcome: queued(organization=organization) for outcome in Outcome}
    apply(
        *(
            make_event(made[outcome], outcome, reason=Reason.BLOCKED, error_message="550 no")
            for outcome in Outcome
        )
    )
    letters = {letter.notification_id: letter for letter in DeadLetter.objects.all()}
    assert letters.keys() == {made[Outcome.FAILED].pk, made[Outcome.BOUNCED].pk}
    letter = letters[made[Outcome.BOUNCED].pk]
    assert letter.organization_id == organization.pk
    assert (letter.reason, letter.error_message, letter.attempts) == ("blocked", "550 no", 1)


def test_the_second_batch_with_the_same_event_changes_nothing(apply: Apply) -> None:
    notification = queued()
    event = make_event(notification, Outcome.DEFERRED)
    apply(event)
    before = list(Notification.objects.values()), list(DeliveryAttempt.objects.values())
    rows = list(OutboxMessage.objects.values())
    applied = apply(event)
    assert (applied.repeated, applied.new, applied.moved) == (1, [], [])
    assert before == (
        list(Notification.objects.values()),
        list(DeliveryAttempt.objects.values()),
    )
    assert rows == list(OutboxMessage.objects.values())


def test_the_same_event_twice_in_one_batch_counts_once(apply: Apply) -> None:
    notification = queued()
    event = make_event(notification, Outcome.DEFERRED)
    applied = apply(event, event, event)
    assert (applied.repeated, len(applied.new)) == (2, 1)
    notification.refresh_from_db()
    assert (notification.status, notification.attempt) == (Status.RETRYING, 2)


def test_several_events_of_one_notification_are_applied_in_order(apply: Apply) -> None:
    notification = queued()
    apply(
        make_event(notification, Outcome.DEFERRED),
        make_event(notification, Outcome.DEFERRED, attempt=2),
        make_event(notification, Outcome.SENT, attempt=3, provider_message_id="<3@x>"),
        make_event(notification, Outcome.DELIVERED, attempt=3),
    )
    notification.refresh_from_db()
    assert (notification.status, notification.attempt) == (Status.DELIVERED, 3)
    outcomes = list(DeliveryAttempt.objects.values_list("number", "outcome"))
    assert outcomes == [(1, Outcome.DEFERRED), (2, Outcome.DEFERRED), (3, Outcome.DELIVERED)]
    assert DeliveryAttempt.objects.get(number=3).provider_message_id == "<3@x>"
    assert not OutboxMessage.objects.exists()


def test_a_receipt_completes_the_attempt_it_is_about(apply: Apply) -> None:
    notification = queued()
    sent = make_event(notification, Outcome.SENT, provider_message_id="<1@x>")
    apply(sent)
    apply(make_event(notification, Outcome.BOUNCED, reason=Reason.BOUNCED, error_message="550"))
    attempt = DeliveryAttempt.objects.get()
    assert (attempt.outcome, attempt.reason) == (Outcome.BOUNCED, Reason.BOUNCED)
    assert (attempt.provider_message_id, attempt.started_at) == ("<1@x>", sent.started_at)
    notification.refresh_from_db()
    assert notification.status == Status.BOUNCED


def test_a_receipt_that_comes_before_its_acceptance(apply: Apply) -> None:
    notification = queued()
    apply(make_event(notification, Outcome.DELIVERED))
    applied = apply(make_event(notification, Outcome.SENT))
    assert applied.repeated == 1
    notification.refresh_from_db()
    assert notification.status == Status.DELIVERED


@pytest.mark.parametrize(
    "end", [Status.DELIVERED, Status.CANCELLED, Status.EXPIRED, Status.REJECTED]
)
def test_a_late_event_is_recorded_and_changes_no_end(apply: Apply, end: Status) -> None:
    notification = queued(status=end)
    applied = apply(make_event(notification, Outcome.BOUNCED))
    assert (applied.late, applied.moved) == (1, [])
    notification.refresh_from_db()
    assert (notification.status, notification.reason) == (end, "")
    assert DeliveryAttempt.objects.get().outcome == Outcome.BOUNCED
    assert not DeadLetter.objects.exists()


def test_an_event_of_a_deleted_notification_is_counted_and_harms_nobody(apply: Apply) -> None:
    gone, there = queued(), queued()
    events = make_event(gone), make_event(there)
    Notification.objects.filter(pk=gone.pk).delete()
    assert apply(*events).unknown == 1
    there.refresh_from_db()
    assert there.status == Status.DELIVERED


def test_a_temporary_failure_goes_back_to_the_outbox(apply: Apply) -> None:
    notification = queued(lane=Lane.HIGH, priority=2)
    before = datetime.now(UTC)
    apply(make_event(notification, Outcome.DEFERRED, reason=Reason.TIMED_OUT, error_message="451"))
    after = datetime.now(UTC)
    notification.refresh_from_db()
    assert (notification.status, notification.attempt) == (Status.RETRYING, 2)
    assert (notification.reason, notification.error_message) == (Reason.TIMED_OUT, "451")
    row = OutboxMessage.objects.get()
    assert (row.attempt, row.priority) == (2, 8)
    assert row.available_at == notification.next_attempt_at
    assert (row.available_at - before).total_seconds() >= 4.5
    assert (row.available_at - after).total_seconds() <= 5.5


def test_five_attempts_then_the_dead_letter(apply: Apply) -> None:
    notification = queued()
    delays = []
    for number in range(1, 6):
        before = datetime.now(UTC)
        # What the relay does in between.
        OutboxMessage.objects.all().delete()
        Notification.objects.update(status=Status.QUEUED)
        apply(make_event(notification, Outcome.DEFERRED, attempt=number, error_message="451"))
        if row := OutboxMessage.objects.first():
            assert row.attempt == number + 1
            between = before, datetime.now(UTC)
            delays.append([(row.available_at - moment).total_seconds() for moment in between])
    # Each with its jitter, from some moment between the two.
    for (most, least), expected in zip(delays, (5, 30, 120, 600), strict=True):
        assert 0.9 * expected <= most
        assert least <= 1.1 * expected
    notification.refresh_from_db()
    assert notification.status == Status.FAILED
    assert (notification.reason, notification.error_message) == ("attempts_exhausted", "451")
    letter = DeadLetter.objects.get()
    assert (letter.reason, letter.attempts) == (Reason.ATTEMPTS_EXHAUSTED, 5)
    assert DeliveryAttempt.objects.count() == 5


def test_a_replay_that_fails_renews_its_dead_letter(apply: Apply) -> None:
    notification = queued(attempt=6)
    letter = DeadLetter.objects.create(
        organization_id=notification.organization_id,
        notification=notification,
        reason=Reason.ATTEMPTS_EXHAUSTED,
        attempts=5,
        created_at=datetime.now(UTC) - timedelta(days=1),
        replayed_at=datetime.now(UTC),
    )
    apply(make_event(notification, Outcome.DEFERRED))
    notification.refresh_from_db()
    assert (notification.status, notification.attempt) == (Status.RETRYING, 7)
    apply(make_event(notification, Outcome.FAILED, reason=Reason.CONFIGURATION))
    renewed = DeadLetter.objects.get()
    assert renewed.pk == letter.pk
    assert (renewed.reason, renewed.attempts) == (Reason.CONFIGURATION, 7)
    assert renewed.replayed_at is None
    assert renewed.created_at > letter.created_at


def test_no_retry_after_the_end_of_its_time(apply: Apply) -> None:
    notification = queued(expires_at=datetime.now(UTC) + timedelta(seconds=2))
    apply(make_event(notification, Outcome.DEFERRED))
    notification.refresh_from_db()
    assert (notification.status, notification.reason) == (Status.EXPIRED, Reason.EXPIRED)
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.SCHEDULED, Status.RETRYING])
def test_the_row_of_a_killed_relay_is_not_published_again(apply: Apply, status: Status) -> None:
    """It had published, and died before its commit; the worker was faster than its successor."""
    notification = queued(status=status)
    make_outbox_message(notification)
    apply(make_event(notification))
    assert not OutboxMessage.objects.exists()


def test_the_row_of_a_killed_relay_makes_way_for_the_retry(apply: Apply) -> None:
    notification = queued(status=Status.ACCEPTED)
    make_outbox_message(notification)
    apply(make_event(notification, Outcome.DEFERRED))
    row = OutboxMessage.objects.get()
    assert row.attempt == 2
    assert row.available_at > datetime.now(UTC)


def test_a_late_failure_leaves_the_scheduled_retry_alone(apply: Apply) -> None:
    notification = queued(status=Status.RETRYING, attempt=2)
    make_outbox_message(notification, due_in=60)
    assert apply(make_event(notification, Outcome.FAILED, attempt=1)).late == 1
    assert OutboxMessage.objects.get().attempt == 2


def test_an_attempt_that_arrived_after_all_cancels_the_retry(apply: Apply) -> None:
    notification = queued()
    apply(make_event(notification, Outcome.DEFERRED))
    assert OutboxMessage.objects.count() == 1
    apply(make_event(notification, Outcome.DELIVERED))
    notification.refresh_from_db()
    assert notification.status == Status.DELIVERED
    assert not OutboxMessage.objects.exists()
    assert DeliveryAttempt.objects.get().outcome == Outcome.DELIVERED


def test_a_batch_that_the_database_refuses_does_nothing(session: Connection) -> None:
    notification = queued()
    good = read(make_event(notification))
    bad = msgspec.structs.replace(good, event=make_event(notification, attempt=2, channel="x" * 99))
    with pytest.raises(psycopg.DataError):
        apply_events(session, [good, bad], POLICIES)
    session.rollback()
    notification.refresh_from_db()
    assert notification.status == Status.QUEUED
    assert not DeliveryAttempt.objects.exists()


def test_rows_are_locked_in_the_order_of_their_ids(session: Connection) -> None:
    organization = make_organization()
    stored = [ids.new_id(ids.NOTIFICATION) for _ in range(5)][::-1]
    for id_ in stored:
        queued(organization=organization, id=id_)
    session.execute(
        "SET enable_seqscan = on; SET enable_indexscan = off; SET enable_bitmapscan = off"
    )
    wanted = [ids.parse_id(ids.NOTIFICATION, id_) for id_ in stored]
    locked = [row[0] for row in session.execute(batch_sql.LOCK, (wanted,))]
    assert locked == wanted[::-1]


def test_batches_in_opposite_orders_do_not_deadlock() -> None:
    organization = make_organization()
    made = [queued(organization=organization) for _ in range(60)]
    problems: list[psycopg.Error] = []

    def work(order: list[Notification], outcome: Outcome) -> None:
        with connect("events", idle_in_transaction=30) as session:
            for _ in range(5):
                try:
                    batch = [read(make_event(each, outcome)) for each in order]
                    apply_events(session, batch, POLICIES)
                except psycopg.Error as error:
                    problems.append(error)
                    session.rollback()

    threads = [
        threading.Thread(target=work, args=(made, Outcome.SENT)),
        threading.Thread(target=work, args=(made[::-1], Outcome.DELIVERED)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert set(Notification.objects.values_list("status", flat=True)) == {Status.DELIVERED}


def test_a_large_batch(apply: Apply) -> None:
    now = datetime.now(UTC)
    made = make_copies(queued(), 1_000)
    applied = apply(*(make_event(each, occurred_at=now) for each in made))
    assert (len(applied.new), len(applied.moved)) == (1_000, 1_000)
    assert Notification.objects.filter(status=Status.DELIVERED, delivered_at=now).count() == 1_000


def test_plans_of_an_empty_table_are_good_for_a_full_one(session: Connection) -> None:
    session.execute("SET plan_cache_mode = force_generic_plan")
    session.commit()
    original = queued()
    for outcome in (Outcome.SENT, Outcome.DELIVERED, Outcome.DELIVERED):
        apply_events(session, [read(make_event(original, outcome))], POLICIES)
    make_copies(queued(organization=original.organization), 5_000)
    kept = session.execute(
        "SELECT name, cardinality(parameter_types) FROM pg_prepared_statements"
        " WHERE statement LIKE '%notifications_notification n%'"
    ).fetchall()
    assert len(kept) == 2
    for name, parameters in kept:
        nothing = ", ".join(["NULL"] * parameters)
        plan = session.execute(f"EXPLAIN EXECUTE {name} ({nothing})".encode()).fetchall()
        assert "Seq Scan on notifications_notification" not in str(plan)
