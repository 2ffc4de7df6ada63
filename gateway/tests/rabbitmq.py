"""RabbitMQ as a test sees it: what lies in a queue, and a queue that somebody deleted."""

import time
from collections.abc import Callable
from typing import Any

from carillon.broker import topology
from carillon.broker.consumer import Consumer, Subscription
from carillon.broker.declaration import declare
from carillon.broker.delivery import Delivery, Inbox
from carillon.broker.messages import OutgoingMessage, Route
from carillon.broker.publisher import Publisher
from carillon.broker.visit import Visit

# Seconds. Other suites make and empty their queues on the same server.
PATIENCE = 60.0


class RabbitMQ:
    """Direct access to the broker of the tests."""

    def __init__(self, url: str) -> None:
        self.url = url

    def restore(self) -> None:
        """The whole topology, every queue empty."""
        declare(self.url, PATIENCE)
        names = [queue.name for queue in topology.queues()]

        def purge(channel: Any, done: Callable[[Any], None]) -> None:
            for name in names:
                channel.queue_purge(name, callback=done if name == names[-1] else None)

        self._on_channel(purge)

    def delete(self, queue: str) -> None:
        """Delete a queue with all that is in it."""
        self._on_channel(lambda channel, done: channel.queue_delete(queue, callback=done))

    def depth(self, queue: str) -> int:
        """Messages that are ready."""
        frame = self._on_channel(
            lambda channel, done: channel.queue_declare(queue, passive=True, callback=done)
        )
        return int(frame.method.message_count)

    def publish(self, route: Route, *bodies: bytes) -> None:
        """Publish and wait for the confirms."""
        publisher = Publisher(self.url, name="test")
        publisher.start()
        try:
            results = publisher.publish(
                [
                    OutgoingMessage(route=route, body=body, message_id=str(number))
                    for number, body in enumerate(bodies)
                ],
                PATIENCE,
            )
        finally:
            publisher.close()
        assert all(result.confirmed for result in results), results

    def receive(self, queue: str, count: int, timeout: float = PATIENCE) -> list[Delivery]:
        """Take `count` messages off the queue, or what came within `timeout` seconds."""
        inbox = Inbox()
        consumer = Consumer(self.url, [Subscription(queue, 5_000, inbox.put)], name="test")
        consumer.start()
        taken: list[Delivery] = []
        deadline = time.monotonic() + timeout
        try:
            while len(taken) < count and time.monotonic() < deadline:
                batch = inbox.collect(5_000, within=0.02, timeout=0.2)
                consumer.ack_all(batch)
                taken += batch
        finally:
            consumer.close()
        return taken

    def receive_all(self, queue: str) -> list[Delivery]:
        """Take what is in the queue; nobody may be publishing."""
        return self.receive(queue, self.depth(queue))

    def _on_channel(self, act: Callable[[Any, Callable[[Any], None]], None]) -> Any:
        answers: list[Any] = []

        def use(connection: Any, visit: Visit) -> None:
            def done(frame: Any) -> None:
                answers.append(frame)
                visit.succeed()

            connection.channel(on_open_callback=lambda channel: act(channel, done))

        Visit(self.url, "test", PATIENCE).run(use)
        return answers[0]


def eventually(condition: Callable[[], bool], timeout: float = PATIENCE) -> bool:
    """Whether `condition` comes true within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
