"""Who comes first: a client's change, or the relay, an event, another client. Row locks decide."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from carillon.broker.messages import PublishOutcome, PublishResult
from carillon.contracts.messages import EmailContent, Outcome, decode_job
from carillon.contracts.status import Status
from gateway.deliveries.services.events import apply_events
from gateway.notifications.models import Notification
from gateway.notifications.services import locking
from gateway.notifications.services.locking import Authority, lock_notification
from gateway.outbox.database import BY_INDEX, Connection, connect
from gateway.outbox.models import OutboxMessage
from gateway.outbox.services.settlement import settle_window
from gateway.outbox.services.window import Window, take_window
from gateway.tests.calls import NOTIFICATIONS, Answer
from gateway.tests.conftest import Tenant
from gateway.tests.deliveries.conftest import read
from gateway.tests.factories import (
    make_copies,
    make_dead_letter,
    make_event,
    make_notification,
    make_outbox_message,
)
from gateway.tests.policies import POLICIES
from gateway.tests.rabbitmq import eventually
from gateway.tests.threads import at_once

pytestmark = [pytest.mark.integration]

Background = Callable[..., "Future[Answer]"]

CONFIRMED = PublishResult(PublishOutcome.CONFIRMED)
UNKNOWN = PublishResult(PublishOutcome.UNKNOWN)


@pytest.fixture
def relay(committed_tenant: Tenant) -> Iterator[Connection]:
    """A session as the relay has it."""
    session = connect("relay", idle_in_transaction=30, options=BY_INDEX)
    yield session
    session.close()


@pytest.fixture
def background() -> Iterator[Background]:
    """`background(call, *arguments)` in a thread, for calls that wait for a lock."""
    with ThreadPoolExecutor() as pool:

        def submit(call: Callable[..., Answer], *arguments: Any) -> "Future[Answer]":
            def run() -> Answer:
                try:
                    return call(*arguments)
                finally:
                    connection.close()

            return pool.submit(run)

        yield submit


def take(session: Connection) -> Window:
    return take_window(session, most=500, now=datetime.now(UTC))


def settle(session: Connection, window: Window, *results: PublishResult) -> None:
    settle_window(session, window, results, returned_delay=15)


def accepted(tenant: Tenant) -> Notification:
    notification = make_notification(tenant.organization)
    make_outbox_message(notification)
    return notification


def cancel(tenant: Tenant, notification: Notification) -> Answer:
    return tenant.api.post(f"{NOTIFICATIONS}{notification.pk}/cancel/")


def patch(tenant: Tenant, notification: Notification, body: object) -> Answer:
    return tenant.api.call("PATCH", f"{NOTIFICATIONS}{notification.pk}/", body)


def wait_until_blocked(answer: "Future[Answer]") -> None:
    """Until the gateway waits for a lock."""
    with connect("observer", idle_in_transaction=30) as observer:
        observer.autocommit = True

        def waiting() -> bool:
            row = observer.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND application_name = 'gateway' AND datname = current_database()"
            ).fetchone()
            return row == (1,)

        assert eventually(waiting)
    assert not answer.done()


def test_what_the_relay_holds_is_no_longer_cancelled(
    committed_tenant: Tenant, relay: Connection, background: Background
) -> None:
    notification = accepted(committed_tenant)
    window = take(relay)
    assert len(window.messages) == 1
    answer = background(cancel, committed_tenant, notification)
    wait_until_blocked(answer)
    settle(relay, window, CONFIRMED)
    assert answer.result().error == (409, "not_cancellable")
    assert answer.result().details == {"status": ["It is queued."]}
    notification.refresh_from_db()
    assert notification.status == Status.QUEUED


def test_what_the_relay_could_not_publish_is_cancelled(
    committed_tenant: Tenant, relay: Connection, background: Background
) -> None:
    notification = accepted(committed_tenant)
    window = take(relay)
    answer = background(cancel, committed_tenant, notification)
    wait_until_blocked(answer)
    settle(relay, window, PublishResult(PublishOutcome.NACKED))
    assert answer.result().status == 200
    assert take(relay).size == 0


def test_what_is_being_cancelled_is_not_taken(committed_tenant: Tenant, relay: Connection) -> None:
    notification = accepted(committed_tenant)
    authority = Authority(committed_tenant.id)
    with transaction.atomic():
        lock_notification(authority, notification.pk)
        assert take(relay).size == 0
        relay.rollback()
    assert cancel(committed_tenant, notification).status == 200
    assert take(relay).size == 0


def test_a_relay_that_holds_the_row_alone_is_waited_for(
    committed_tenant: Tenant, relay: Connection, background: Background
) -> None:
    """It skipped the notification, which was locked, and keeps the row until its window ends."""
    notification = accepted(committed_tenant)
    with connect("other", idle_in_transaction=30) as other:
        other.execute("SELECT 1 FROM notifications_notification FOR NO KEY UPDATE")
        assert take(relay).size == 0
        other.rollback()
    answer = background(cancel, committed_tenant, notification)
    wait_until_blocked(answer)
    relay.rollback()
    assert answer.result().status == 200
    assert not OutboxMessage.objects.exists()


def test_a_hand_over_that_takes_too_long_is_said_to_be_one(
    committed_tenant: Tenant, relay: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "LOCK_WAIT_MS", 50)
    notification = accepted(committed_tenant)
    take(relay)
    for answer in (
        cancel(committed_tenant, notification),
        patch(committed_tenant, notification, {"metadata": {"x": 1}}),
        committed_tenant.api.call("DELETE", f"{NOTIFICATIONS}{notification.pk}/"),
    ):
        assert answer.error == (409, "notification_busy")
        assert answer.headers["Retry-After"] == "1"
    relay.rollback()
    notification.refresh_from_db()
    assert (notification.status, notification.metadata) == (Status.ACCEPTED, {})
    assert cancel(committed_tenant, notification).status == 200


def test_in_a_storm_each_is_either_cancelled_or_sent(committed_tenant: Tenant) -> None:
    """Relays and clients at once, many times: never both, never neither."""
    first = accepted(committed_tenant)
    notifications = [first, *make_copies(first, 59)]
    for notification in notifications[1:]:
        make_outbox_message(notification)
    published: list[str] = []
    answers: dict[str, int] = {}
    some_published, some_cancelled = threading.Event(), threading.Event()

    def publish() -> None:
        with connect("relay", idle_in_transaction=30, options=BY_INDEX) as session:
            while OutboxMessage.objects.exists():
                # Neither side is to be done before the other has begun.
                assert len(published) < 20 or some_cancelled.wait(60)
                window = take_window(session, most=1, now=datetime.now(UTC))
                jobs = [decode_job(message.body) for message in window.messages]
                # Confirms take their time.
                time.sleep(0.005)
                published.extend(job.notification_id for job in jobs)
                settle(session, window, *[CONFIRMED] * len(jobs))
                if published:
                    some_published.set()

    def cancel_some(start: int) -> None:
        # From the end: the relays come from the beginning.
        for number, notification in enumerate(notifications[::-1][start::4]):
            assert number < 10 or some_published.wait(60)
            answers[notification.pk] = cancel(committed_tenant, notification).status
            some_cancelled.set()

    cancelling = (partial(cancel_some, start) for start in range(4))
    calls: list[Callable[[], None]] = [publish, publish, *cancelling]
    at_once(calls)
    cancelled = {id_ for id_, status in answers.items() if status == 200}
    assert set(answers.values()) == {200, 409}
    assert len(published) == len(set(published))
    assert cancelled.isdisjoint(published)
    assert cancelled | set(published) == {notification.pk for notification in notifications}
    statuses = Counter(Notification.objects.values_list("status", flat=True))
    assert statuses == Counter({"cancelled": len(cancelled), "queued": len(published)})


def test_where_the_hand_over_is_unknown_a_late_word_is_kept_beside_the_cancellation(
    committed_tenant: Tenant, relay: Connection
) -> None:
    """The one case that no lock decides: RabbitMQ may have the message, and nobody knows."""
    notification = accepted(committed_tenant)
    settle(relay, take(relay), UNKNOWN)
    assert cancel(committed_tenant, notification).status == 200
    assert take(relay).size == 0
    relay.rollback()
    applied = apply_events(relay, [read(make_event(notification))], POLICIES)
    assert (applied.late, applied.moved) == (1, [])
    shown = committed_tenant.api.get(f"{NOTIFICATIONS}{notification.pk}/").data
    assert shown["status"] == "cancelled"
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["delivered"]


def test_cancelling_between_two_attempts_stops_the_second(
    committed_tenant: Tenant, relay: Connection
) -> None:
    notification = make_notification(committed_tenant.organization, status=Status.QUEUED)
    apply_events(relay, [read(make_event(notification, Outcome.DEFERRED))], POLICIES)
    OutboxMessage.objects.update(available_at=datetime.now(UTC))
    assert cancel(committed_tenant, notification).status == 200
    assert take(relay).size == 0
    relay.rollback()
    # The first attempt's word, once more and again: it comes too late to change anything.
    apply_events(relay, [read(make_event(notification, Outcome.DEFERRED))], POLICIES)
    notification.refresh_from_db()
    assert notification.status == Status.CANCELLED
    assert not OutboxMessage.objects.exists()


def test_a_change_waits_for_the_window_and_is_refused(
    committed_tenant: Tenant, relay: Connection, background: Background
) -> None:
    notification = accepted(committed_tenant)
    window = take(relay)
    content = {"content": {"subject": "new", "body": "new"}}
    answer = background(patch, committed_tenant, notification, content)
    wait_until_blocked(answer)
    settle(relay, window, CONFIRMED)
    assert answer.result().error == (409, "not_changeable")
    assert decode_job(window.messages[0].body).content == EmailContent(
        subject="Welcome", body="Hello, Ada", html="<p>Hello, Ada</p>"
    )


def test_what_was_changed_is_what_is_published(committed_tenant: Tenant, relay: Connection) -> None:
    notification = accepted(committed_tenant)
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    body = {
        "content": {"subject": "new", "body": "words"},
        "expires_at": expires_at.isoformat(),
    }
    assert patch(committed_tenant, notification, body).status == 200
    (message,) = take(relay).messages
    job = decode_job(message.body)
    assert job.content == EmailContent(subject="new", body="words")
    assert job.expires_at == expires_at


def test_what_was_put_off_is_not_published_and_what_was_drawn_forward_is(
    committed_tenant: Tenant, relay: Connection
) -> None:
    notification = accepted(committed_tenant)
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert patch(committed_tenant, notification, {"scheduled_at": later}).status == 200
    assert take(relay).size == 0
    relay.rollback()
    assert patch(committed_tenant, notification, {"scheduled_at": None}).status == 200
    assert len(take(relay).messages) == 1


def test_a_word_about_what_was_deleted_is_ignored(
    committed_tenant: Tenant, relay: Connection
) -> None:
    letter = make_dead_letter(committed_tenant.organization)
    path = f"{NOTIFICATIONS}{letter.notification_id}/"
    assert committed_tenant.api.call("DELETE", path).status == 200
    applied = apply_events(relay, [read(make_event(letter.notification))], POLICIES)
    assert applied.unknown == 1
    assert not Notification.objects.exists()
