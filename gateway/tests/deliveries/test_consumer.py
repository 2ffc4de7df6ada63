"""The events process between the real RabbitMQ and the real PostgreSQL."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial

import pytest
from django.db import connection

from carillon.broker import topology
from carillon.contracts import ids
from carillon.contracts.messages import Outcome, encode
from carillon.contracts.status import Status
from carillon.settings import Environment
from carillon.testing.proxy import TCPProxy
from deploy.local.ports import private_port
from gateway.deliveries import appliers, metrics
from gateway.deliveries.config import EventsSettings
from gateway.deliveries.consumers import EventsConsumer
from gateway.deliveries.models import DeliveryAttempt
from gateway.notifications.models import Notification
from gateway.outbox.database import connect
from gateway.outbox.models import OutboxMessage
from gateway.tests.commands import Start, ask
from gateway.tests.factories import make_copies, make_event, make_notification
from gateway.tests.rabbitmq import RabbitMQ, eventually

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

EVENTS = topology.EVENTS_QUEUE
PARKED = topology.PARKED_EVENTS_QUEUE
SETTINGS = replace(EventsSettings.read(Environment(files=())), batch_wait=0.01)

RunEvents = Callable[..., AbstractContextManager[EventsConsumer]]


@pytest.fixture
def run_events(rabbitmq_url: str) -> RunEvents:
    """An events process in a thread, for the length of a `with` block."""

    @contextmanager
    def run(
        settings: EventsSettings = SETTINGS, *, url: str = rabbitmq_url
    ) -> Iterator[EventsConsumer]:
        consumer = EventsConsumer(url, settings)
        thread = threading.Thread(target=consumer.run)
        thread.start()
        try:
            yield consumer
        finally:
            consumer.stop()
            thread.join(timeout=60)
            assert not thread.is_alive()

    return run


def queued(count: int) -> list[Notification]:
    first = make_notification(status=Status.QUEUED)
    return [first, *make_copies(first, count - 1)]


def delivered() -> int:
    return Notification.objects.filter(status=Status.DELIVERED).count()


def more_than(seen: int) -> bool:
    return delivered() > seen


def waiting() -> bool:
    """Whether a batch waits for somebody's lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM pg_stat_activity"
            " WHERE application_name = 'events' AND wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )
        return bool(cursor.fetchall())


def ignored(kind: str) -> float:
    return float(metrics.EVENTS_IGNORED.labels(kind)._value.get())


def bodies(notifications: list[Notification]) -> list[bytes]:
    return [encode(make_event(notification)) for notification in notifications]


def test_an_event_reaches_its_notification(rabbitmq: RabbitMQ, run_events: RunEvents) -> None:
    made = queued(3)
    with run_events() as events:
        rabbitmq.publish(topology.EVENTS_ROUTE, *bodies(made))
        assert eventually(lambda: delivered() == 3)
        assert events.alive
        assert events.consuming
    assert rabbitmq.depth(EVENTS) == 0


def test_a_batch_that_waits_holds_up_no_other(rabbitmq: RabbitMQ, run_events: RunEvents) -> None:
    held, free = queued(2)
    with connect("holder", idle_in_transaction=30) as holder, run_events():
        holder.execute(
            "SELECT FROM notifications_notification WHERE id = %s FOR UPDATE",
            (ids.parse_id(ids.NOTIFICATION, held.pk),),
        )
        rabbitmq.publish(topology.EVENTS_ROUTE, *bodies([held]))
        assert eventually(waiting)
        rabbitmq.publish(topology.EVENTS_ROUTE, *bodies([free]))
        assert eventually(lambda: delivered() == 1)
        holder.rollback()
        assert eventually(lambda: delivered() == 2)
    assert rabbitmq.depth(EVENTS) == 0


def test_one_applier_that_fails_ends_them_all(
    rabbitmq: RabbitMQ, rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake of ours: whoever watches the process starts another, and the event comes back."""

    def fail(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(appliers, "apply_events", fail)
    rabbitmq.publish(topology.EVENTS_ROUTE, *bodies(queued(1)))
    with pytest.raises(RuntimeError, match="a mistake"):
        EventsConsumer(rabbitmq_url, SETTINGS).run()
    assert eventually(lambda: rabbitmq.depth(EVENTS) == 1)


def test_a_temporary_failure_is_scheduled_anew(rabbitmq: RabbitMQ, run_events: RunEvents) -> None:
    (notification,) = queued(1)
    with run_events():
        rabbitmq.publish(topology.EVENTS_ROUTE, encode(make_event(notification, Outcome.DEFERRED)))
        assert eventually(OutboxMessage.objects.exists)


def test_what_cannot_be_read_is_parked_and_its_neighbours_go_on(
    rabbitmq: RabbitMQ, run_events: RunEvents
) -> None:
    made = queued(4)
    before = ignored("unreadable")
    poison = [
        b"not json",
        encode(make_event(made[0], notification_id="notif_x")),
        # Readable, but the database refuses it.
        encode(make_event(made[0], attempt=2, channel="x" * 99)),
    ]
    good = bodies(made)
    with run_events():
        rabbitmq.publish(
            topology.EVENTS_ROUTE,
            good[0],
            poison[0],
            good[1],
            poison[1],
            good[2],
            poison[2],
            good[3],
        )
        assert eventually(lambda: delivered() == 4)
        assert eventually(lambda: rabbitmq.depth(PARKED) == 3)
    assert rabbitmq.depth(EVENTS) == 0
    assert ignored("unreadable") - before == 3
    assert sorted(each.body for each in rabbitmq.receive(PARKED, 3)) == sorted(poison)


def test_what_is_repeated_late_or_unknown_is_counted_and_acknowledged(
    rabbitmq: RabbitMQ, run_events: RunEvents
) -> None:
    (notification,) = queued(1)
    before = [ignored(kind) for kind in ("repeated", "late", "unknown")]
    event = make_event(notification)
    # Together, in their order: of two batches the second may be the faster one.
    with run_events(replace(SETTINGS, batch=4, batch_wait=30)):
        rabbitmq.publish(
            topology.EVENTS_ROUTE,
            encode(event),
            encode(event),
            encode(make_event(notification, Outcome.FAILED, attempt=2)),
            encode(make_event(notification, notification_id=ids.new_id(ids.NOTIFICATION))),
        )
        assert eventually(
            lambda: (
                [ignored(kind) for kind in ("repeated", "late", "unknown")]
                == [count + 1 for count in before]
            )
        )
    assert rabbitmq.depth(EVENTS) == rabbitmq.depth(PARKED) == 0
    assert delivered() == 1


@pytest.fixture
def database_link(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[TCPProxy]:
    """A link to PostgreSQL that can be cut; the test's own connection does not use it."""
    connection.ensure_connection()
    settings = connection.settings_dict
    proxy = TCPProxy((settings["HOST"], int(settings["PORT"])))
    monkeypatch.setitem(settings, "HOST", "127.0.0.1")
    monkeypatch.setitem(settings, "PORT", proxy.port)
    yield proxy
    proxy.close()


def test_a_batch_outlives_the_absence_of_the_database(
    rabbitmq: RabbitMQ, run_events: RunEvents, database_link: TCPProxy
) -> None:
    first, *others = queued(21)
    failures = metrics.DATABASE_FAILURES._value
    with run_events() as events:
        rabbitmq.publish(topology.EVENTS_ROUTE, *bodies([first]))
        assert eventually(lambda: delivered() == 1)
        database_link.cut()
        before = failures.get()
        rabbitmq.publish(topology.EVENTS_ROUTE, *bodies(others))
        assert eventually(lambda: failures.get() >= before + 3)
        assert events.alive
        assert delivered() == 1
        database_link.heal()
        assert eventually(lambda: delivered() == 21)
    assert rabbitmq.depth(EVENTS) == 0


def test_stopping_while_the_database_is_away_gives_the_batch_back(
    rabbitmq: RabbitMQ, run_events: RunEvents, database_link: TCPProxy
) -> None:
    made = queued(5)
    failures = metrics.DATABASE_FAILURES._value
    database_link.cut()
    with run_events():
        before = failures.get()
        rabbitmq.publish(topology.EVENTS_ROUTE, *bodies(made))
        assert eventually(lambda: failures.get() > before)
    database_link.heal()
    with run_events():
        assert eventually(lambda: delivered() == 5)


def test_a_broken_link_to_rabbitmq_loses_nothing(
    rabbitmq: RabbitMQ, run_events: RunEvents, rabbitmq_url: str
) -> None:
    proxy = TCPProxy.in_front_of(rabbitmq_url)
    url = proxy.reroute(rabbitmq_url)
    try:
        with run_events(replace(SETTINGS, batch=10, prefetch=20), url=url):
            for _ in range(3):
                seen = delivered()
                rabbitmq.publish(topology.EVENTS_ROUTE, *bodies(queued(100)))
                assert eventually(partial(more_than, seen))
                proxy.cut()
                proxy.heal()
            assert eventually(lambda: delivered() == 300)
    finally:
        proxy.close()
    assert DeliveryAttempt.objects.count() == 300


def test_sigterm_ends_it_soon_with_every_event_applied_or_still_queued(
    rabbitmq: RabbitMQ, start_events: Start
) -> None:
    count = 4_000
    made = queued(count)
    rabbitmq.publish(topology.EVENTS_ROUTE, *bodies(made))
    with connect("holder", idle_in_transaction=300) as holder:
        # It gets no further before it is told to end.
        holder.execute(
            "SELECT FROM notifications_notification WHERE id >= %s FOR UPDATE",
            (ids.parse_id(ids.NOTIFICATION, made[500].pk),),
        )
        process = start_events(EVENTS_BATCH="50", EVENTS_PREFETCH="50")
        assert eventually(waiting)
        process.send_signal(signal.SIGTERM)
        holder.rollback()
    assert process.wait(timeout=60) == 0
    assert 0 < delivered() < count, "SIGTERM was meant to interrupt it at work"
    # Nothing comes back that was applied: every ack was flushed.
    assert eventually(lambda: delivered() + rabbitmq.depth(EVENTS) == count)


def test_a_process_that_is_killed_loses_nothing(rabbitmq: RabbitMQ, start_events: Start) -> None:
    count = 4_000
    for _ in range(2):
        seen = delivered()
        rabbitmq.publish(topology.EVENTS_ROUTE, *bodies(queued(count // 2)))
        process = start_events(EVENTS_BATCH="50", EVENTS_PREFETCH="100")
        assert eventually(partial(more_than, seen))
        process.kill()
        process.wait()
    start_events()
    assert eventually(lambda: delivered() == count)
    assert DeliveryAttempt.objects.count() == count
    assert eventually(lambda: rabbitmq.depth(EVENTS) == 0)


def test_it_says_how_it_is(rabbitmq: RabbitMQ, start_events: Start) -> None:
    port = private_port()
    start_events(EVENTS_PORT=str(port))
    rabbitmq.publish(topology.EVENTS_ROUTE, *bodies(queued(2)))
    assert eventually(lambda: ask(port, "/health/")[0] == 200)
    assert set(json.loads(ask(port, "/health/")[1])["checks"]) == {"database", "rabbitmq"}
    assert ask(port, "/health/live/")[0] == 200
    expected = {
        b'carillon_delivery_events_total{channel="email",outcome="delivered",provider="smtp"} 2.0',
        b'carillon_notifications_ended_total{channel="email",reason="",status="delivered"} 2.0',
        b'carillon_delivery_duration_seconds_count{channel="email"} 2.0',
    }
    assert eventually(lambda: expected <= set(ask(port, "/metrics")[1].splitlines()))


def test_it_waits_for_servers_that_are_not_there_yet(start_events: Start) -> None:
    port = private_port()
    process = start_events(EVENTS_PORT=str(port), RABBITMQ_URL="amqp://127.0.0.1:1/")
    assert eventually(lambda: ask(port, "/health/")[0] == 503)
    time.sleep(0.5)
    assert ask(port, "/health/live/")[0] == 200
    assert process.poll() is None
