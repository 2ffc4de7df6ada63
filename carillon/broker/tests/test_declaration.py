"""Declaring the topology: again and again, and over one that was changed by hand."""

from collections.abc import Callable, Iterator

import pytest
from structlog.testing import capture_logs

from carillon.broker import topology
from carillon.broker.consumer import Consumer, Subscription
from carillon.broker.declaration import declare, explain
from carillon.broker.delivery import Inbox
from carillon.broker.errors import BrokerUnavailable, TopologyMismatch
from carillon.broker.publisher import Publisher
from carillon.broker.tests.conftest import Broker, messages
from carillon.broker.tests.polling import eventually
from carillon.contracts.lanes import Lane

pytestmark = pytest.mark.integration

CHANGED = topology.queue_for("sms", Lane.NORMAL)


@pytest.fixture
def changed(broker: Broker) -> Iterator[Broker]:
    """One queue exists with other arguments, one is missing."""
    broker.channel.queue_delete(CHANGED)
    broker.channel.queue_declare(CHANGED, durable=True, arguments={"x-queue-type": "quorum"})
    route = topology.route_for("sms", Lane.NORMAL)
    broker.channel.queue_bind(CHANGED, route.exchange, route.routing_key)
    broker.channel.queue_delete(topology.EVENTS_QUEUE)
    yield broker
    broker.channel.queue_delete(CHANGED)


def test_declaring_again_changes_nothing(broker: Broker) -> None:
    queue = topology.queue_for("email", Lane.HIGH)
    broker.channel.basic_publish(topology.DELIVERY_EXCHANGE, "email.high", b"kept")
    assert eventually(lambda: broker.depth(queue) == 1)
    declare(broker.url, timeout=60)
    declare(broker.url, timeout=60)
    assert broker.depth(queue) == 1


def test_a_changed_queue_is_named_and_explained_and_the_rest_is_declared(
    changed: Broker,
) -> None:
    with pytest.raises(TopologyMismatch) as caught:
        declare(changed.url, timeout=60)
    assert [(each.kind, each.name) for each in caught.value.mismatches] == [("queue", CHANGED)]
    explanation = str(caught.value)
    assert f"'{CHANGED}'" in explanation
    assert "inequivalent arg" in explanation
    assert "rabbitmqctl delete_queue" in explanation
    assert changed.depth(topology.EVENTS_QUEUE) == 0, "the missing queue was declared"


def test_a_changed_topology_stops_neither_publishers_nor_consumers(
    changed: Broker,
    publishing: Callable[[str], Publisher],
    consuming: Callable[[Consumer], Consumer],
) -> None:
    explain.cache_clear()
    with capture_logs() as logs:
        publisher = publishing(changed.url)
        publishing(changed.url)
    told = [line for line in logs if line["event"] == "topology mismatch"]
    assert len(told) == 1, "once per process, however often it connects"
    assert CHANGED in told[0]["explanation"]
    (message,) = messages(1, route=topology.route_for("sms", Lane.NORMAL))
    assert publisher.publish_one(message).confirmed
    inbox = Inbox()
    consumer = consuming(Consumer(changed.url, [Subscription(CHANGED, 5, inbox.put)], name="test"))
    delivery = inbox.get(60)
    assert delivery is not None
    consumer.ack(delivery)


def test_without_a_broker_it_says_so() -> None:
    with pytest.raises(BrokerUnavailable, match="refused"):
        declare("amqp://guest:guest@127.0.0.1:1", timeout=60)
