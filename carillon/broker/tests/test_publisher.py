"""Publishing to a real RabbitMQ, over links that break."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from prometheus_client import REGISTRY

from carillon.broker import topology
from carillon.broker.errors import BrokerBlocked, BrokerClosed, BrokerUnavailable, MessageRefused
from carillon.broker.messages import OutgoingMessage, PublishResult
from carillon.broker.publisher import Publisher
from carillon.broker.tests.alarm import AlarmingLink
from carillon.broker.tests.conftest import QUEUE, ROUTE, Broker, messages
from carillon.broker.tests.polling import eventually
from carillon.contracts.lanes import Lane
from carillon.testing.proxy import TCPProxy, rerouted

pytestmark = pytest.mark.integration

Publishing = Callable[[str], Publisher]

CONNECTIONS, LOST = "carillon_broker_connections_total", {"role": "publisher", "event": "lost"}


def outcomes(results: list[PublishResult]) -> Counter[str]:
    return Counter(result.outcome.value for result in results)


def test_a_confirmed_window_is_in_its_queue_in_order(
    broker: Broker, publishing: Publishing
) -> None:
    window = messages(1500)
    results = publishing(broker.url).publish(window)
    assert outcomes(results) == {"confirmed": 1500}
    taken = broker.take_all(QUEUE)
    assert [body for _, body in taken] == [message.body for message in window]
    properties = taken[7][0]
    assert properties.message_id == "notif_7:1"
    assert properties.content_type == "application/json"
    assert properties.delivery_mode == 2
    assert properties.headers["x-correlation-id"] == "corr_7"
    assert properties.headers["traceparent"] == window[7].traceparent


def test_a_message_larger_than_a_frame_arrives_whole(
    broker: Broker, publishing: Publishing
) -> None:
    body = bytes(index % 251 for index in range(700_000))
    message = OutgoingMessage(route=ROUTE, body=body, message_id="large")
    assert publishing(broker.url).publish_one(message).confirmed
    assert [found for _, found in broker.take_all(QUEUE)] == [body]


def test_publishing_to_a_deleted_queue_is_an_error_of_that_message_alone(
    broker: Broker, publishing: Publishing
) -> None:
    publisher = publishing(broker.url)
    gone = topology.route_for("push", Lane.BULK)
    broker.channel.queue_delete(topology.queue_for("push", Lane.BULK))
    window = [*messages(3), *messages(2, route=gone, prefix="gone"), *messages(2, prefix="more")]
    results = publisher.publish(window)
    assert [result.outcome.value for result in results] == (
        ["confirmed"] * 3 + ["returned"] * 2 + ["confirmed"] * 2
    )
    assert gone.routing_key in results[3].detail
    assert broker.depth(QUEUE) == 5


def test_a_deleted_exchange_is_declared_again_and_used(
    broker: Broker, publishing: Publishing
) -> None:
    publisher = publishing(broker.url)
    broker.channel.exchange_delete(topology.EVENTS_EXCHANGE)
    event = OutgoingMessage(route=topology.EVENTS_ROUTE, body=b"{}", message_id="evt_1")
    # RabbitMQ closes the channel for this: nothing on it is answered for any more.
    assert publisher.publish_one(event).outcome.value == "unknown"
    assert publisher.publish_one(event).confirmed
    assert broker.depth(topology.EVENTS_QUEUE) == 1


def test_small_publishes_of_many_threads_are_each_confirmed(
    broker: Broker, publishing: Publishing
) -> None:
    publisher = publishing(broker.url)
    failures: list[PublishResult] = []

    def work(number: int) -> None:
        for message in messages(50, prefix=f"thread{number}"):
            result = publisher.publish_one(message)
            if not result.confirmed:
                failures.append(result)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    ids = [properties.message_id for properties, _ in broker.take_all(QUEUE)]
    assert len(ids) == len(set(ids)) == 600


def test_a_connection_cut_in_a_window_leaves_no_false_confirm_and_is_made_anew(
    broker: Broker, proxy: TCPProxy, publishing: Publishing
) -> None:
    publisher = publishing(proxy.reroute(broker.url))
    pending = publisher.submit(messages(40_000))
    assert eventually(lambda: broker.depth(QUEUE) > 500)
    proxy.cut()
    results = pending.wait()
    counts = outcomes(results)
    assert counts["unknown"] > 0
    assert counts["unsent"] > 0
    assert set(counts) <= {"confirmed", "unknown", "unsent"}
    broker.wait_at_rest(QUEUE)
    arrived = {properties.message_id for properties, _ in broker.take_all(QUEUE)}
    window = messages(40_000)
    for message, result in zip(window, results, strict=True):
        if result.confirmed:
            assert message.message_id in arrived, "confirmed but lost"
        if result.outcome.value == "unsent":
            assert message.message_id not in arrived, "called unsent but sent"

    proxy.heal()
    again = [
        message for message, result in zip(window, results, strict=True) if not result.confirmed
    ]
    assert outcomes(publisher.publish(again[:1000])) == {"confirmed": 1000}


def test_without_a_connection_a_publish_fails_in_its_time_and_nothing_is_published(
    broker: Broker, proxy: TCPProxy, publishing: Publishing
) -> None:
    publisher = publishing(proxy.reroute(broker.url))
    proxy.cut()
    assert eventually(lambda: not publisher.connected)
    # The connection comes back only afterwards.
    with pytest.raises(BrokerUnavailable, match="not connected"):
        publisher.publish(messages(3), timeout=0.3)
    proxy.heal()
    assert publisher.publish_one(messages(1, prefix="later")[0]).confirmed
    assert [properties.message_id for properties, _ in broker.take_all(QUEUE)] == ["later_0:1"]


def test_a_publish_waits_for_the_connection_that_comes_in_time(
    broker: Broker, proxy: TCPProxy
) -> None:
    proxy.cut()
    publisher = Publisher(proxy.reroute(broker.url), name="test")
    publisher.start()
    pending = publisher.submit(messages(3), timeout=60)
    assert not publisher.wait_connected(0.3)
    proxy.heal()
    assert outcomes(pending.wait()) == {"confirmed": 3}
    publisher.close()


def test_a_timed_out_window_is_unknown_and_its_late_confirms_confirm_nothing_else(
    broker: Broker, proxy: TCPProxy, publishing: Publishing
) -> None:
    publisher = publishing(proxy.reroute(broker.url))
    late_before = late_confirms()
    proxy.black_hole()
    pending = publisher.submit(messages(5), timeout=3600)
    assert eventually(lambda: len(publisher._confirms) == 5)
    # They are written: its time is over.
    pending._deadline = time.monotonic()
    assert outcomes(pending.wait()) == {"unknown": 5}
    proxy.heal()
    gone = topology.route_for("push", Lane.BULK)
    broker.channel.queue_delete(topology.queue_for("push", Lane.BULK))
    # The same ids again, now unroutable, while the confirms of the first five are coming in.
    assert outcomes(publisher.publish(messages(5, route=gone))) == {"returned": 5}
    assert eventually(lambda: broker.depth(QUEUE) == 5)
    assert eventually(lambda: late_confirms() == late_before + 5)


def late_confirms() -> float:
    return REGISTRY.get_sample_value("carillon_broker_late_confirms_total") or 0.0


def test_a_silent_broker_is_noticed_by_its_missing_heartbeats(
    broker: Broker, proxy: TCPProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("carillon.broker.connection.HEARTBEAT", 1)
    publisher = Publisher(proxy.reroute(broker.url), name="test")
    publisher.start()
    assert publisher.wait_connected(60)
    proxy.black_hole()
    # pika waits five seconds more than the heartbeat.
    results = publisher.publish(messages(3), timeout=60)
    assert outcomes(results) == {"unknown": 3}
    assert "heartbeat" in results[0].detail.lower()
    proxy.heal()
    assert publisher.publish_one(messages(1, prefix="later")[0]).confirmed
    publisher.close()


@pytest.fixture
def alarming(rabbitmq_url: str) -> AlarmingLink:
    parts = urlsplit(rabbitmq_url)
    return AlarmingLink((parts.hostname or "127.0.0.1", parts.port or 5672))


def test_a_blocked_broker_is_said_at_once_and_used_again_when_it_recovers(
    broker: Broker, alarming: AlarmingLink
) -> None:
    with alarming:
        publisher = Publisher(rerouted(broker.url, alarming.port), name="test")
        publisher.start()
        assert publisher.publish_one(messages(1)[0]).confirmed

        alarming.raise_alarm()
        assert eventually(lambda: publisher.blocked == "low on memory")
        # The alarm lasts longer, and so would the wait.
        with pytest.raises(BrokerBlocked, match="low on memory"):
            publisher.publish(messages(500), timeout=3600)
        assert REGISTRY.get_sample_value("carillon_broker_blocked") == 1

        alarming.clear_alarm()
        assert eventually(lambda: publisher.blocked is None)
        assert publisher.publish_one(messages(1, prefix="later")[0]).confirmed
        assert broker.depth(QUEUE) == 2
        publisher.close()


def test_a_window_that_the_alarm_overtakes_is_unknown_and_may_arrive(
    broker: Broker, alarming: AlarmingLink
) -> None:
    with alarming:
        publisher = Publisher(rerouted(broker.url, alarming.port), name="test")
        publisher.start()
        assert publisher.wait_connected(60)
        # RabbitMQ tells a connection of the alarm when it publishes, so one window is always under
        # way: here it is written while nobody reads, and the news comes after it.
        alarming._reading.clear()
        pending = publisher.submit(messages(10), timeout=3600)
        assert eventually(lambda: len(publisher._confirms) == 10)
        alarming.raise_alarm()
        results = pending.wait()
        assert outcomes(results) == {"unknown": 10}
        assert "low on memory" in results[0].detail
        alarming.clear_alarm()
        assert eventually(lambda: broker.depth(QUEUE) == 10), "it did arrive, later"
        publisher.close()


def test_closing_waits_for_the_confirms_of_what_was_handed_over(
    broker: Broker, publishing: Publishing
) -> None:
    publisher = publishing(broker.url)
    pending = [publisher.submit(messages(2000, prefix=f"w{number}")) for number in range(3)]
    publisher.close(60)
    assert [outcomes(each.wait()) for each in pending] == [{"confirmed": 2000}] * 3
    with pytest.raises(BrokerClosed):
        publisher.publish(messages(1))


def test_closing_without_a_connection_fails_what_waits_as_unwritten(proxy: TCPProxy) -> None:
    proxy.cut()
    publisher = Publisher(f"amqp://guest:guest@127.0.0.1:{proxy.port}", name="test")
    publisher.start()
    pending = publisher.submit(messages(3), timeout=30)
    publisher.close(2)
    with pytest.raises(BrokerClosed):
        pending.wait()


def test_closing_does_not_hang_on_a_silent_broker(
    broker: Broker, proxy: TCPProxy, publishing: Publishing
) -> None:
    publisher = publishing(proxy.reroute(broker.url))
    proxy.black_hole()
    pending = publisher.submit(messages(3), timeout=3600)
    publisher.close(0.5)
    assert outcomes(pending.wait()) == {"unknown": 3}


def test_a_message_that_amqp_cannot_carry_is_refused_with_its_whole_window(
    broker: Broker, publishing: Publishing
) -> None:
    publisher = publishing(broker.url)
    bad = OutgoingMessage(route=ROUTE, body=b"{}", message_id="x" * 256)
    with pytest.raises(MessageRefused, match="message_id"):
        publisher.publish([*messages(2), bad])
    assert publisher.publish_one(messages(1)[0]).confirmed
    assert broker.depth(QUEUE) == 1


def test_a_failure_of_the_io_loop_costs_a_connection_and_not_the_publisher(
    broker: Broker, publishing: Publishing
) -> None:
    publisher = publishing(broker.url)

    def fail() -> None:
        raise ZeroDivisionError

    lost = REGISTRY.get_sample_value(CONNECTIONS, LOST) or 0.0
    publisher._link.call(fail)
    # It is back so soon that to look for its absence may be too late.
    assert eventually(lambda: (REGISTRY.get_sample_value(CONNECTIONS, LOST) or 0.0) > lost)
    assert publisher.publish_one(messages(1)[0]).confirmed


def test_an_empty_window_is_answered_at_once(broker: Broker, publishing: Publishing) -> None:
    assert publishing(broker.url).publish([]) == []


def test_the_io_thread_shows_signs_of_life(broker: Broker, publishing: Publishing) -> None:
    publisher = publishing(broker.url)
    assert eventually(lambda: publisher.seconds_since_turn < 3)
