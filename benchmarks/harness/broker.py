"""RabbitMQ's queues as a scenario needs them: filled, watched, emptied."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pika  # type: ignore[import-untyped]
import pika.exceptions  # type: ignore[import-untyped]

from carillon.broker.messages import OutgoingMessage, Route
from carillon.broker.publisher import Publisher
from deploy.local.errors import StackError

POLL = 0.01  # seconds
PUBLISH_TIMEOUT = 180.0  # seconds
SKIPPED = 0.1
"""The share of a crowd whose time is not taken: who publishes it has only just begun."""


@contextmanager
def channel(url: str) -> Iterator[Any]:
    """A channel of a connection of its own."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        yield connection.channel()
    finally:
        if connection.is_open:
            connection.close()


def make_queue(url: str, name: str) -> None:
    """A durable quorum queue, as ours are."""
    with channel(url) as opened:
        opened.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum"})


def purge(url: str, *names: str) -> None:
    """Empty these queues, where they are."""
    for name in names:
        # A channel each: RabbitMQ closes one that names what is not there.
        with channel(url) as opened, suppress(pika.exceptions.ChannelClosedByBroker):
            opened.queue_purge(name)


def depth(url: str, name: str) -> int:
    """Messages that nobody has taken."""
    with channel(url) as opened:
        return int(opened.queue_declare(name, passive=True).method.message_count)


def take_one(url: str, name: str, timeout: float) -> bytes:
    """The body of a message, taken out of its queue. Raises StackError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    with channel(url) as opened:
        while time.monotonic() < deadline:
            _, _, body = opened.basic_get(name, auto_ack=True)
            if body is not None:
                return bytes(body)
            time.sleep(POLL)
    raise StackError(f"nothing came to {name} within {timeout:.0f} s")


def publish(url: str, route: Route, bodies: Sequence[tuple[str, bytes]]) -> None:
    """Fill a queue of the platform's topology: (message_id, body). Raises StackError."""
    publisher = Publisher(url, name="benchmark")
    publisher.start()
    try:
        results = publisher.publish(
            [OutgoingMessage(route=route, body=body, message_id=name) for name, body in bodies],
            PUBLISH_TIMEOUT,
        )
    finally:
        publisher.close()
    if not all(result.confirmed for result in results):
        raise StackError("RabbitMQ did not confirm what a benchmark published")


class Filling:
    """Watches an empty queue fill; the rate is of what follows the first tenth."""

    def __init__(self, url: str, name: str, count: int) -> None:
        self._url = url
        self._name = name
        self._count = count

    def rate(self, timeout: float) -> float:
        """Messages a second. Raises StackError where they are not all there in time."""
        deadline = time.monotonic() + timeout
        first = latest = (time.monotonic(), 0)
        with channel(self._url) as opened:
            while time.monotonic() < deadline:
                before, latest = latest, (time.monotonic(), self._look(opened))
                if first[1] < self._count * SKIPPED:
                    first = latest
                if latest[1] >= self._count:
                    # A crowd that comes between two looks is timed from the one before.
                    return _rate(before if first == latest else first, latest)
                time.sleep(POLL)
        raise StackError(
            f"{latest[1]:,} of {self._count:,} came to {self._name} in {timeout:.0f} s"
        )

    def wait(self, timeout: float) -> None:
        """Until all are there. Raises StackError where they are not in time."""
        deadline = time.monotonic() + timeout
        with channel(self._url) as opened:
            while self._look(opened) < self._count:
                if time.monotonic() > deadline:
                    raise StackError(f"{self._name} has not filled within {timeout:.0f} s")
                time.sleep(POLL)

    def _look(self, opened: Any) -> int:
        return int(opened.queue_declare(self._name, passive=True).method.message_count)


def _rate(first: tuple[float, int], last: tuple[float, int]) -> float:
    return (last[1] - first[1]) / (last[0] - first[0])
