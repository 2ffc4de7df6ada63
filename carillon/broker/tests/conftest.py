"""A RabbitMQ with an empty topology, seen from outside our own code."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pika  # type: ignore[import-untyped]
import pytest

from carillon.broker import topology
from carillon.broker.consumer import Consumer
from carillon.broker.declaration import declare
from carillon.broker.messages import OutgoingMessage, Route
from carillon.broker.publisher import Publisher
from carillon.contracts.lanes import Lane
from carillon.testing.proxy import TCPProxy

ROUTE = topology.route_for("email", Lane.NORMAL)
QUEUE = topology.queue_for("email", Lane.NORMAL)


def messages(count: int, *, route: Route = ROUTE, prefix: str = "notif") -> list[OutgoingMessage]:
    return [
        OutgoingMessage(
            route=route,
            body=b'{"number": %d}' % number,
            message_id=f"{prefix}_{number}:1",
            correlation_id=f"corr_{number}",
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        for number in range(count)
    ]


class Broker:
    """What a test asks of RabbitMQ directly."""

    def __init__(self, url: str) -> None:
        self.url = url
        parameters = pika.URLParameters(url)
        parameters.socket_timeout = parameters.stack_timeout = 60
        self._connection = pika.BlockingConnection(parameters)
        self.channel = self._connection.channel()

    def depth(self, queue: str) -> int:
        """Messages that are ready."""
        return int(self.channel.queue_declare(queue, passive=True).method.message_count)

    def wait_at_rest(self, queue: str, quiet: float = 0.3) -> None:
        """Wait until RabbitMQ has worked off what it received: no change for `quiet` seconds."""
        last, since = self.depth(queue), time.monotonic()
        while time.monotonic() - since < quiet:
            time.sleep(0.02)
            depth = self.depth(queue)
            if depth != last:
                last, since = depth, time.monotonic()

    def take_all(self, queue: str) -> list[tuple[Any, bytes]]:
        """Take every ready message off the queue."""
        taken: list[tuple[Any, bytes]] = []
        while True:
            method, properties, body = self.channel.basic_get(queue, auto_ack=True)
            if method is None:
                return taken
            taken.append((properties, body))

    def restore(self) -> None:
        """Declare what is missing and empty every queue."""
        declare(self.url, timeout=60)
        for queue in topology.queues():
            self.channel.queue_purge(queue.name)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def broker(rabbitmq_url: str) -> Iterator[Broker]:
    """The topology, empty before and after."""
    seen = Broker(rabbitmq_url)
    seen.restore()
    yield seen
    seen.restore()
    seen.close()


@pytest.fixture
def proxy(rabbitmq_url: str) -> Iterator[TCPProxy]:
    """A breakable link to RabbitMQ."""
    with TCPProxy.in_front_of(rabbitmq_url) as link:
        yield link


@pytest.fixture
def publishing() -> Iterator[Callable[[str], Publisher]]:
    """Makes publishers that are connected, and closes them."""
    made: list[Publisher] = []

    def make(url: str) -> Publisher:
        publisher = Publisher(url, name="test")
        made.append(publisher)
        publisher.start()
        assert publisher.wait_connected(60)
        return publisher

    yield make
    for publisher in made:
        publisher.close(2)


@pytest.fixture
def consuming() -> Iterator[Callable[[Consumer], Consumer]]:
    """Starts consumers, waits until they consume, and closes them."""
    made: list[Consumer] = []

    def start(consumer: Consumer) -> Consumer:
        made.append(consumer)
        consumer.start()
        assert consumer.wait_consuming(60)
        return consumer

    yield start
    for consumer in made:
        consumer.close(2)
