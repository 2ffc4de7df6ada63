"""The relay between the real PostgreSQL and the real RabbitMQ."""

import json
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from carillon.broker import topology
from carillon.contracts.lanes import Lane
from carillon.contracts.status import Status
from carillon.testing.proxy import TCPProxy
from deploy.local.ports import private_port
from gateway.notifications.models import Notification
from gateway.outbox.config import RelaySettings
from gateway.outbox.models import OutboxMessage
from gateway.tests.commands import Start, ask
from gateway.tests.factories import (
    make_copies,
    make_notification,
    make_organization,
    make_outbox_message,
)
from gateway.tests.outbox.conftest import RunRelay
from gateway.tests.rabbitmq import RabbitMQ, eventually

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

EMAIL = topology.queue_for("email", Lane.NORMAL)
SMS = topology.queue_for("sms", Lane.NORMAL)


def accept(count: int, **fields: Any) -> set[str]:
    """Accept `count` notifications at once; answers their message ids."""
    first = make_notification(**fields)
    made = [first, *make_copies(first, count - 1)]
    row = make_outbox_message(first)
    OutboxMessage.objects.bulk_create(
        OutboxMessage(
            notification=notification, priority=row.priority, available_at=row.available_at
        )
        for notification in made[1:]
    )
    return {f"{notification.pk}:1" for notification in made}


def empty() -> bool:
    return not OutboxMessage.objects.exists()


def at_most(rows: int) -> bool:
    return OutboxMessage.objects.count() <= rows


def statuses() -> Counter[str]:
    return Counter(Notification.objects.values_list("status", flat=True))


@pytest.fixture
def proxied(rabbitmq_url: str) -> Iterator[tuple[TCPProxy, str]]:
    """A link to RabbitMQ that can be cut, and its URL."""
    with TCPProxy.in_front_of(rabbitmq_url) as proxy:
        yield proxy, proxy.reroute(rabbitmq_url)


def test_what_is_due_is_published_once_and_marked_queued(
    rabbitmq: RabbitMQ, relay_settings: RelaySettings, run_relay: RunRelay
) -> None:
    expected = accept(50)
    with run_relay(relay_settings):
        assert eventually(empty)
    received = [delivery.message_id for delivery in rabbitmq.receive(EMAIL, 50)]
    assert sorted(received) == sorted(expected)
    assert statuses() == {Status.QUEUED: 50}


def test_each_notification_goes_to_the_queue_of_its_channel_and_lane(
    rabbitmq: RabbitMQ, relay_settings: RelaySettings, run_relay: RunRelay
) -> None:
    organization = make_organization()
    routes = [("email", Lane.HIGH), ("email", Lane.BULK), ("sms", Lane.NORMAL)]
    for channel, lane in routes:
        make_outbox_message(make_notification(organization, channel=channel, lane=lane))
    with run_relay(relay_settings):
        assert eventually(empty)
    for channel, lane in routes:
        assert rabbitmq.depth(topology.queue_for(channel, lane)) == 1


def test_several_relays_publish_every_row_once(
    rabbitmq: RabbitMQ, relay_settings: RelaySettings, run_relay: RunRelay
) -> None:
    expected = accept(400)
    small = replace(relay_settings, window=20)
    with run_relay(small), run_relay(small), run_relay(small):
        assert eventually(empty)
    received = [delivery.message_id for delivery in rabbitmq.receive(EMAIL, 400)]
    assert rabbitmq.depth(EMAIL) == 0
    assert sorted(received) == sorted(expected)


def test_concurrent_writers_with_gaps_lose_nothing(
    rabbitmq: RabbitMQ, relay_settings: RelaySettings, run_relay: RunRelay
) -> None:
    """Rows become visible in another order than that of their ids: no cursor could follow."""
    writers, each = 8, 25
    organization = make_organization()
    expected: set[str] = set()

    def write(seed: int) -> None:
        dice = random.Random(seed)
        try:
            for _ in range(each):
                with transaction.atomic():
                    notification = make_notification(organization)
                    make_outbox_message(notification)
                    time.sleep(dice.uniform(0, 0.02))
                    if dice.random() < 0.2:
                        transaction.set_rollback(True)
                    else:
                        expected.add(f"{notification.pk}:1")
        finally:
            connection.close()

    with run_relay(relay_settings), run_relay(relay_settings):
        threads = [threading.Thread(target=write, args=(seed,)) for seed in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert eventually(empty)
    received = [delivery.message_id for delivery in rabbitmq.receive(EMAIL, len(expected))]
    assert sorted(received) == sorted(expected)


def test_a_short_delay_does_not_wait_behind_a_long_one(
    rabbitmq: RabbitMQ, relay_settings: RelaySettings, run_relay: RunRelay
) -> None:
    """As it would in a queue whose messages expire: RabbitMQ expires them at its head alone."""
    organization = make_organization()
    long, short = (make_notification(organization) for _ in range(2))
    make_outbox_message(long, due_in=3600)
    make_outbox_message(short, due_in=0.5)
    with run_relay(relay_settings):
        assert eventually(lambda: rabbitmq.depth(EMAIL) == 1)
    assert [delivery.message_id for delivery in rabbitmq.receive(EMAIL, 1)] == [f"{short.pk}:1"]
    assert [row.notification_id for row in OutboxMessage.objects.all()] == [long.pk]


def test_a_deleted_queue_holds_up_its_own_rows_alone_and_is_declared_again(
    rabbitmq: RabbitMQ, relay_settings: RelaySettings, run_relay: RunRelay
) -> None:
    with run_relay(relay_settings):
        accept(1)
        assert eventually(empty)
        rabbitmq.delete(SMS)
        accept(5, channel="sms")
        accept(5)
        # The relay is connected all the while: nobody but itself declares what is missing.
        assert eventually(empty)
    assert (rabbitmq.depth(EMAIL), rabbitmq.depth(SMS)) == (6, 5)
    assert statuses() == {Status.QUEUED: 11}


def test_nothing_is_taken_while_rabbitmq_is_away_and_all_goes_when_it_is_back(
    rabbitmq: RabbitMQ,
    proxied: tuple[TCPProxy, str],
    relay_settings: RelaySettings,
    run_relay: RunRelay,
) -> None:
    proxy, url = proxied
    proxy.cut()
    with run_relay(relay_settings, url=url) as relay:
        expected = accept(20)
        time.sleep(1)
        assert relay.alive
        assert statuses() == {Status.ACCEPTED: 20}
        proxy.heal()
        assert eventually(empty)
    received = [delivery.message_id for delivery in rabbitmq.receive(EMAIL, 20)]
    assert sorted(received) == sorted(expected)


def test_a_link_that_breaks_again_and_again_loses_nothing(
    rabbitmq: RabbitMQ,
    proxied: tuple[TCPProxy, str],
    relay_settings: RelaySettings,
    run_relay: RunRelay,
) -> None:
    proxy, url = proxied
    expected = accept(300)
    cuts, settings = 3, replace(relay_settings, window=10)
    with run_relay(settings, url=url):
        for cut in range(1, cuts + 1):
            assert eventually(partial(at_most, 300 - cut * 50))
            proxy.cut()
            proxy.heal()
        assert eventually(empty)
    received = Counter(delivery.message_id for delivery in rabbitmq.receive_all(EMAIL))
    assert set(received) == expected
    repeated = received.total() - len(expected)
    assert repeated <= cuts * settings.window * settings.windows_in_flight


def test_a_black_hole_leaves_the_rows_where_they_are(
    rabbitmq: RabbitMQ,
    proxied: tuple[TCPProxy, str],
    relay_settings: RelaySettings,
    run_relay: RunRelay,
) -> None:
    proxy, url = proxied
    with run_relay(replace(relay_settings, publish_timeout=0.5), url=url) as relay:
        accept(1)
        assert eventually(empty)
        proxy.black_hole()
        accept(5)
        # The wait for confirms is bounded: others may lock the rows soon.
        time.sleep(1.5)
        assert OutboxMessage.objects.count() == 5
        assert relay.alive
        proxy.heal()
        assert eventually(empty)
    received = {delivery.message_id for delivery in rabbitmq.receive_all(EMAIL)}
    assert len(received) == 6


def test_a_database_that_ends_our_sessions_is_connected_to_again(
    rabbitmq: RabbitMQ, relay_settings: RelaySettings, run_relay: RunRelay
) -> None:
    with run_relay(replace(relay_settings, window=10)) as relay:
        for _ in range(3):
            expected = accept(30)
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'relay' AND datname = current_database()"
                )
            assert eventually(empty)
        assert relay.alive
    received = {delivery.message_id for delivery in rabbitmq.receive_all(EMAIL)}
    assert len(received) == 90
    assert received >= expected


KILLS = 3


def test_a_relay_that_is_killed_loses_nothing(
    rabbitmq: RabbitMQ, start_relay: Start, hurry: Callable[[], None]
) -> None:
    rows, window = 4_000, 50
    expected = accept(rows)
    for kill in range(1, KILLS + 1):
        relay = start_relay(RELAY_WINDOW=str(window))
        assert eventually(partial(at_most, rows - kill * 200))
        relay.kill()
        relay.wait()
    assert not empty(), "every kill was meant to interrupt the relay at work"
    hurry()
    start_relay()
    assert eventually(empty)
    received = Counter(delivery.message_id for delivery in rabbitmq.receive_all(EMAIL))
    assert set(received) == expected
    assert received.total() - rows <= KILLS * window * 2
    assert statuses() == {Status.QUEUED: rows}


def test_sigterm_ends_it_soon_with_what_it_had_begun(
    rabbitmq: RabbitMQ, start_relay: Start, hurry: Callable[[], None]
) -> None:
    rows = 4_000
    accept(rows)
    relay = start_relay(RELAY_WINDOW="50")
    assert eventually(lambda: OutboxMessage.objects.count() < rows)
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(timeout=60) == 0
    queued = statuses()[Status.QUEUED]
    assert 0 < queued < rows, "SIGTERM was meant to interrupt the relay at work"
    assert OutboxMessage.objects.count() == rows - queued
    assert rabbitmq.depth(EMAIL) == queued


def test_it_says_how_it_is(rabbitmq: RabbitMQ, start_relay: Start) -> None:
    accept(3, lane=Lane.HIGH)
    make_outbox_message(make_notification(lane=Lane.BULK), due_in=3600)
    port = private_port()
    relay = start_relay(RELAY_PORT=str(port), RELAY_DEPTH_INTERVAL="0.1")

    assert eventually(lambda: ask(port, "/health/")[0] == 200)
    assert set(json.loads(ask(port, "/health/")[1])["checks"]) == {"database", "rabbitmq"}
    assert ask(port, "/health/live/")[0] == 200
    metrics = {
        b'carillon_outbox_relayed_total{result="confirmed"} 3.0',
        b'carillon_outbox_depth{lane="bulk",state="scheduled"} 1.0',
        b'carillon_outbox_depth{lane="high",state="due"} 0.0',
        b'carillon_outbox_oldest_due_age_seconds{lane="high"} 0.0',
    }
    assert eventually(lambda: metrics <= set(ask(port, "/metrics")[1].splitlines()))
    assert relay.poll() is None
