"""Settling windows in the real PostgreSQL: what each outcome of a publish means for its row."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from carillon.broker.messages import PublishOutcome, PublishResult
from carillon.contracts.status import Status
from carillon.errors import Reason
from gateway.deliveries.models import DeadLetter
from gateway.deliveries.services.events import apply_events
from gateway.deliveries.services.reading import ReadEvent
from gateway.notifications.models import Notification, NotificationContent
from gateway.outbox.database import Connection, connect
from gateway.outbox.models import OutboxMessage
from gateway.outbox.services.settlement import settle_window
from gateway.outbox.services.window import Window, take_window
from gateway.tests.factories import (
    make_event,
    make_notification,
    make_organization,
    make_outbox_message,
)
from gateway.tests.policies import POLICIES
from gateway.tests.rabbitmq import eventually

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

CONFIRMED = PublishResult(PublishOutcome.CONFIRMED)


def take(session: Connection) -> Window:
    return take_window(session, most=500, now=datetime.now(UTC))


def settle(session: Connection, window: Window, *results: PublishResult) -> Counter[str]:
    return settle_window(session, window, results, returned_delay=15)


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.SCHEDULED, Status.RETRYING])
def test_what_is_confirmed_leaves_the_outbox_and_is_queued(
    session: Connection, status: Status
) -> None:
    notification = make_notification(status=status, next_attempt_at=datetime.now(UTC))
    make_outbox_message(notification)
    window = take(session)
    assert settle(session, window, CONFIRMED)["confirmed"] == 1
    notification.refresh_from_db()
    assert notification.status == Status.QUEUED
    assert notification.queued_at == notification.updated_at == window.taken_at
    assert notification.next_attempt_at is None
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize(
    "outcome", [PublishOutcome.UNKNOWN, PublishOutcome.UNSENT, PublishOutcome.NACKED]
)
def test_what_may_not_have_been_published_stays_due(
    session: Connection, outcome: PublishOutcome
) -> None:
    notification = make_notification()
    row = make_outbox_message(notification)
    settle(session, take(session), PublishResult(outcome))
    notification.refresh_from_db()
    assert (notification.status, notification.queued_at) == (Status.ACCEPTED, None)
    assert OutboxMessage.objects.get().available_at == row.available_at


def test_what_no_queue_takes_waits_while_its_neighbours_go(session: Connection) -> None:
    organization = make_organization()
    notifications = [make_notification(organization) for _ in range(3)]
    for notification in notifications:
        make_outbox_message(notification)
    window = take(session)
    returned = PublishResult(PublishOutcome.RETURNED)
    counts = settle(session, window, CONFIRMED, returned, CONFIRMED)
    assert (counts["confirmed"], counts["returned"]) == (2, 1)
    row = OutboxMessage.objects.get()
    assert row.notification_id == f"notif_{window.notifications[1].hex}"
    delay = (row.available_at - window.taken_at).total_seconds()
    assert 15 * 0.75 <= delay <= 15 * 1.25
    assert Notification.objects.get(pk=row.notification_id).status == Status.ACCEPTED


def test_a_window_that_is_rolled_back_leaves_all_as_it_was(session: Connection) -> None:
    make_outbox_message()
    take(session)
    session.rollback()
    assert take(session).size == 1


def test_an_expired_row_ends_its_notification_without_a_dead_letter(session: Connection) -> None:
    notification = make_notification(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    make_outbox_message(notification)
    assert settle(session, take(session))["expired"] == 1
    notification.refresh_from_db()
    assert (notification.status, notification.reason) == (Status.EXPIRED, Reason.EXPIRED)
    assert not OutboxMessage.objects.exists()
    assert not DeadLetter.objects.exists()


def test_the_row_of_a_cancelled_notification_goes_and_changes_nothing(session: Connection) -> None:
    notification = make_notification(status=Status.CANCELLED)
    make_outbox_message(notification)
    assert settle(session, take(session))["obsolete"] == 1
    notification.refresh_from_db()
    assert notification.status == Status.CANCELLED
    assert not OutboxMessage.objects.exists()


def test_an_unusable_row_fails_its_notification_and_leaves_a_dead_letter(
    session: Connection,
) -> None:
    notification = make_notification()
    make_outbox_message(notification)
    NotificationContent.objects.all().delete()
    assert settle(session, take(session))["unusable"] == 1
    notification.refresh_from_db()
    assert (notification.status, notification.reason) == (Status.FAILED, Reason.INVALID_CONTENT)
    letter = DeadLetter.objects.get()
    assert letter.notification_id == notification.pk
    assert letter.organization_id == notification.organization_id
    assert (letter.reason, letter.attempts) == (Reason.INVALID_CONTENT, 1)
    assert not OutboxMessage.objects.exists()


def test_an_event_that_overtakes_waits_for_the_window_and_wins(session: Connection) -> None:
    notification = make_notification()
    make_outbox_message(notification)
    window = take(session)

    def apply() -> None:
        with connect("events", idle_in_transaction=30) as other:
            event = ReadEvent(window.notifications[0], make_event(notification))
            apply_events(other, [event], POLICIES)

    thread = threading.Thread(target=apply)
    thread.start()
    with connect("observer", idle_in_transaction=30) as observer:
        observer.autocommit = True

        def waiting() -> bool:
            row = observer.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE application_name = 'events' AND wait_event_type = 'Lock'"
                " AND datname = current_database()"
            ).fetchone()
            return row == (1,)

        assert eventually(waiting)
    settle(session, window, CONFIRMED)
    thread.join(timeout=60)
    notification.refresh_from_db()
    assert notification.status == Status.DELIVERED
    assert notification.queued_at == window.taken_at
    assert not OutboxMessage.objects.exists()


def test_the_queued_mark_never_moves_a_notification_backwards(session: Connection) -> None:
    """A retry was decided while the first attempt's row was still there: a killed relay's."""
    notification = make_notification(attempt=2, status=Status.RETRYING)
    make_outbox_message(notification, attempt=1)
    settle(session, take(session), CONFIRMED)
    notification.refresh_from_db()
    assert notification.status == Status.RETRYING
