"""Consuming from a real RabbitMQ: nothing lost, nothing twice but where a link broke."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest

from carillon.broker import topology
from carillon.broker.consumer import Consumer, Subscription
from carillon.broker.delivery import Delivery, Inbox
from carillon.broker.lane import SUSPECT_AFTER
from carillon.broker.publisher import Publisher
from carillon.broker.tests.conftest import QUEUE, ROUTE, Broker, messages
from carillon.broker.tests.polling import eventually
from carillon.contracts.lanes import Lane
from carillon.testing.proxy import TCPProxy

pytestmark = pytest.mark.integration

Publishing = Callable[[str], Publisher]
Consuming = Callable[[Consumer], Consumer]

NEVER = 3600.0
HIGH = topology.route_for("email", Lane.HIGH)
HIGH_QUEUE = topology.queue_for("email", Lane.HIGH)


def publish(publisher: Publisher, count: int) -> None:
    assert all(result.confirmed for result in publisher.publish(messages(count)))


def take(inbox: Inbox, count: int) -> list[Delivery]:
    taken = [inbox.get(60) for _ in range(count)]
    found = [delivery for delivery in taken if delivery is not None]
    assert len(found) == count
    return found


def consumer_of(url: str, inbox: Inbox, prefetch: int = 100, **settings: float) -> Consumer:
    return Consumer(
        url,
        [Subscription(QUEUE, prefetch, inbox.put)],
        name="test",
        **settings,  # type: ignore[arg-type]
    )


def test_a_delivery_carries_what_was_published(
    broker: Broker, publishing: Publishing, consuming: Consuming
) -> None:
    publish(publishing(broker.url), 1)
    inbox = Inbox()
    consuming(consumer_of(broker.url, inbox))
    (delivery,) = take(inbox, 1)
    sent = messages(1)[0]
    assert delivery.queue == QUEUE
    assert delivery.body == sent.body
    assert delivery.message_id == sent.message_id
    assert delivery.correlation_id == sent.correlation_id
    assert delivery.traceparent == sent.traceparent
    assert not delivery.redelivered
    assert delivery.delivery_count == 0
    assert not delivery.stale


def test_many_threads_share_the_work_and_each_message_is_done_once(
    broker: Broker, publishing: Publishing, consuming: Consuming
) -> None:
    inbox = Inbox()
    done: list[str] = []
    consumer = consuming(consumer_of(broker.url, inbox, prefetch=50))

    def work() -> None:
        while len(done) < 3000:
            delivery = inbox.get(0.2)
            if delivery is not None:
                done.append(delivery.message_id)
                consumer.ack(delivery)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    publish(publishing(broker.url), 3000)
    for thread in threads:
        thread.join()
    assert Counter(done) == Counter(message.message_id for message in messages(3000))
    assert eventually(lambda: consumer.in_flight == 0)
    consumer.close()
    assert broker.take_all(QUEUE) == []


def test_prefetch_bounds_what_is_unsettled_and_acks_make_room(
    broker: Broker, publishing: Publishing, consuming: Consuming
) -> None:
    publish(publishing(broker.url), 100)
    inbox = Inbox()
    consumer = consuming(consumer_of(broker.url, inbox, prefetch=10))
    first = take(inbox, 10)
    assert inbox.get(0.3) is None
    consumer.ack_all(first)
    take(inbox, 10)
    assert inbox.get(0.3) is None


def test_lanes_are_independent(
    broker: Broker, publishing: Publishing, consuming: Consuming
) -> None:
    publisher = publishing(broker.url)
    publish(publisher, 50)
    normal, high = Inbox(), Inbox()
    consumer = Consumer(
        broker.url,
        [Subscription(QUEUE, 5, normal.put), Subscription(HIGH_QUEUE, 5, high.put)],
        name="test",
    )
    consuming(consumer)
    take(normal, 5)
    assert publisher.publish_one(messages(1, route=HIGH, prefix="otp")[0]).confirmed
    (urgent,) = take(high, 1)
    assert urgent.message_id == "otp_0:1"
    assert urgent.queue == HIGH_QUEUE


def test_acks_travel_when_the_batch_is_full(
    broker: Broker, publishing: Publishing, consuming: Consuming
) -> None:
    publish(publishing(broker.url), 5)
    inbox = Inbox()
    consumer = consuming(consumer_of(broker.url, inbox, ack_batch=5, ack_interval=NEVER))
    deliveries = take(inbox, 5)
    for delivery in deliveries[:4]:
        consumer.ack(delivery)
    assert not eventually(lambda: consumer.in_flight < 5, timeout=0.3)
    consumer.ack(deliveries[4])
    assert eventually(lambda: consumer.in_flight == 0)


def test_acks_travel_when_their_time_is_up(
    broker: Broker, publishing: Publishing, consuming: Consuming
) -> None:
    publish(publishing(broker.url), 3)
    inbox = Inbox()
    consumer = consuming(consumer_of(broker.url, inbox, ack_batch=1000, ack_interval=0.02))
    deliveries = take(inbox, 3)
    consumer.ack(deliveries[0])
    assert eventually(lambda: consumer.in_flight == 2)
    consumer.ack(deliveries[2])
    assert eventually(lambda: consumer.in_flight == 1)


def test_a_batch_of_acks_does_not_wait(
    broker: Broker, publishing: Publishing, consuming: Consuming
) -> None:
    publish(publishing(broker.url), 200)
    inbox = Inbox()
    consumer = consuming(
        consumer_of(broker.url, inbox, prefetch=500, ack_batch=1000, ack_interval=NEVER)
    )
    deliveries = take(inbox, 200)
    consumer.ack_all(deliveries)
    assert eventually(lambda: consumer.in_flight == 0)


def test_closing_flushes_the_acks_that_wait_and_returns_the_rest(
    broker: Broker, publishing: Publishing, consuming: Consuming
) -> None:
    publish(publishing(broker.url), 60)
    inbox = Inbox()
    consumer = consuming(consumer_of(broker.url, inbox, ack_batch=1000, ack_interval=NEVER))
    deliveries = take(inbox, 60)
    for delivery in deliveries[:50]:
        consumer.ack(delivery)
    consumer.close()
    left = {properties.message_id for properties, _ in broker.take_all(QUEUE)}
    assert left == {delivery.message_id for delivery in deliveries[50:]}


def test_stopping_takes_no_more_and_still_settles(
    broker: Broker, publishing: Publishing, consuming: Consuming
) -> None:
    publish(publishing(broker.url), 100)
    inbox = Inbox()
    consumer = consuming(consumer_of(broker.url, inbox, prefetch=10, ack_interval=NEVER))
    done = take(inbox, 3)
    assert eventually(lambda: len(inbox) == 7)
    assert consumer.stop_consuming(60)
    assert not consumer.consuming
    unbegun = inbox.drain()
    assert len(unbegun) == 7
    for delivery in done:
        consumer.ack(delivery)
    for delivery in unbegun:
        consumer.release(delivery)
    consumer.close()
    assert len(inbox) == 0
    left = [properties.message_id for properties, _ in broker.take_all(QUEUE)]
    assert len(left) == 97
    assert not set(left) & {delivery.message_id for delivery in done}


def test_a_rejected_delivery_rests_in_the_dead_queue(
    broker: Broker, publishing: Publishing, consuming: Consuming
) -> None:
    publish(publishing(broker.url), 3)
    inbox = Inbox()
    consumer = consuming(consumer_of(broker.url, inbox))
    first, second, third = take(inbox, 3)
    consumer.ack(first)
    consumer.reject(second)
    consumer.ack(third)
    dead = topology.dead_queue_for("email")
    assert eventually(lambda: broker.depth(dead) == 1)
    (properties, body) = broker.take_all(dead)[0]
    assert properties.message_id == second.message_id
    assert body == second.body
    assert properties.headers["x-death"][0]["reason"] == "rejected"
    consumer.close()
    assert broker.depth(QUEUE) == 0


def test_after_a_cut_only_the_unsettled_come_again(
    broker: Broker, proxy: TCPProxy, publishing: Publishing, consuming: Consuming
) -> None:
    publish(publishing(broker.url), 32)
    inbox = Inbox()
    consumer = consuming(consumer_of(proxy.reroute(broker.url), inbox, prefetch=20))
    acked = take(inbox, 12)
    before = take(inbox, 8)
    consumer.ack_all(acked)
    # RabbitMQ has the acks once it hands out as many more.
    before += take(inbox, 12)
    proxy.cut()
    assert eventually(lambda: before[0].stale)
    assert not consumer.consuming
    consumer.ack(before[0])
    proxy.heal()
    assert consumer.wait_consuming(60)
    after = take(inbox, 20)
    assert {one.message_id for one in after} == {one.message_id for one in before}
    assert all(one.redelivered and one.delivery_count == 1 for one in after)
    assert not any(one.stale for one in after)
    # A stale tag on a new channel would be another message's, or close the channel.
    consumer.ack(before[1])
    consumer.ack_all(after)
    assert eventually(lambda: consumer.in_flight == 0)
    assert consumer.consuming


def test_a_deleted_queue_is_declared_again_and_its_lane_resumes(
    broker: Broker, publishing: Publishing, consuming: Consuming
) -> None:
    normal, high = Inbox(), Inbox()
    consumer = Consumer(
        broker.url,
        [Subscription(QUEUE, 10, normal.put), Subscription(HIGH_QUEUE, 10, high.put)],
        name="test",
    )
    consuming(consumer)
    publisher = publishing(broker.url)
    assert publisher.publish_one(messages(1, route=HIGH, prefix="held")[0]).confirmed
    (held,) = take(high, 1)
    (lost, _other) = consumer._lanes
    channel = lost._channel
    broker.channel.queue_delete(QUEUE)
    assert eventually(lambda: lost.active and lost._channel is not channel)
    assert consumer.wait_consuming(60)
    publish(publisher, 5)
    assert len(take(normal, 5)) == 5
    assert not held.stale, "the other lane was not disturbed"


def test_a_poisonous_message_that_crashes_its_consumer_condemns_no_neighbour(
    broker: Broker, proxy: TCPProxy, publishing: Publishing
) -> None:
    """Every crash takes 50 prefetched neighbours with it; RabbitMQ counts it against them all."""
    publish(publishing(broker.url), 500)
    poison = "notif_240:1"
    dead = topology.dead_queue_for("email")
    done: set[str] = set()
    crashes = 0
    while broker.depth(dead) == 0:
        inbox = Inbox()
        consumer = consumer_of(proxy.reroute(broker.url), inbox, prefetch=50)
        consumer.start()
        assert consumer.wait_consuming(60)
        while True:
            delivery = inbox.get(0.5)
            if delivery is None:
                if broker.depth(dead):
                    break
                continue
            if delivery.message_id == poison:
                crashes += 1
                assert crashes < 60, "the poison is never dead-lettered"
                break
            done.add(delivery.message_id)
            consumer.ack(delivery)
        proxy.cut()
        consumer.close(0)
        proxy.heal()
    broker.wait_at_rest(dead)
    assert [properties.message_id for properties, _ in broker.take_all(dead)] == [poison]
    assert SUSPECT_AFTER < crashes <= topology.DELIVERY_LIMIT + 1
    neighbours = {message.message_id for message in messages(500)} - {poison}

    def are_done() -> bool:
        # What the last consumer held comes back some time after its connection was cut.
        done.update(properties.message_id for properties, _ in broker.take_all(QUEUE))
        return done == neighbours

    assert eventually(are_done)


def test_suspects_are_handed_out_one_by_one_and_fresh_messages_are_not(
    broker: Broker, publishing: Publishing, consuming: Consuming
) -> None:
    publish(publishing(broker.url), 8)
    for _ in range(SUSPECT_AFTER):
        inbox = Inbox()
        held = consuming(consumer_of(broker.url, inbox))
        take(inbox, 8)
        held.close()
    inbox = Inbox()
    consumer = consuming(consumer_of(broker.url, inbox, ack_batch=1000, ack_interval=NEVER))
    for _ in range(8):
        (suspect,) = take(inbox, 1)
        assert suspect.delivery_count == SUSPECT_AFTER
        assert inbox.get(0.1) is None, "the next is handed out after the ack"
        # Acked at once, whatever the batch: RabbitMQ waits for it.
        consumer.ack(suspect)
    publish(publishing(broker.url), 20)
    assert len(take(inbox, 20)) == 20


def test_a_consumer_that_hangs_is_noticed(
    broker: Broker, publishing: Publishing, consuming: Consuming
) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hang(_delivery: Delivery) -> None:
        entered.set()
        leave.wait(60)

    consumer = consuming(Consumer(broker.url, [Subscription(QUEUE, 5, hang)], name="test"))
    assert eventually(lambda: consumer.seconds_since_turn < 1.5)
    publish(publishing(broker.url), 1)
    assert entered.wait(60)
    assert eventually(lambda: consumer.seconds_since_turn > 1.5)
    leave.set()
    assert eventually(lambda: consumer.seconds_since_turn < 1)


def test_batches_of_events_are_acked_as_one(
    broker: Broker, publishing: Publishing, consuming: Consuming
) -> None:
    publish(publishing(broker.url), 700)
    inbox = Inbox()
    consumer = consuming(consumer_of(broker.url, inbox, prefetch=600))
    assert eventually(lambda: len(inbox) == 600)
    sizes: list[int] = []
    while sum(sizes) < 700:
        batch = inbox.collect(300, within=0.05, timeout=60)
        sizes.append(len(batch))
        consumer.ack_all(batch)
    assert sum(sizes) == 700
    assert max(sizes) == 300
    consumer.close()
    assert broker.depth(QUEUE) == 0


def test_stopping_and_closing_without_a_broker_do_not_hang(proxy: TCPProxy) -> None:
    proxy.cut()
    consumer = consumer_of(f"amqp://guest:guest@127.0.0.1:{proxy.port}", Inbox())
    consumer.start()
    assert not consumer.wait_consuming(0.2)
    assert consumer.stop_consuming(60)
    consumer.close(2)
    assert not consumer.connected


def test_a_released_delivery_goes_back_to_its_queue(
    broker: Broker, publishing: Publishing, consuming: Consuming
) -> None:
    publish(publishing(broker.url), 1)
    inbox = Inbox()
    consumer = consuming(consumer_of(broker.url, inbox))
    consumer.release(take(inbox, 1)[0])
    (again,) = take(inbox, 1)
    assert again.redelivered
    assert again.message_id == "notif_0:1"
    assert ROUTE.exchange == topology.DELIVERY_EXCHANGE
