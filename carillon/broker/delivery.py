"""A message that RabbitMQ handed over, and where it waits for a thread."""

import queue
import time
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from carillon.broker.settling import Verdict


class Lease(Protocol):
    """The AMQP channel that a delivery came over, while it lives."""

    @property
    def alive(self) -> bool:
        """False once the channel is gone, and with it every claim to its deliveries."""

    def settle(self, tags: list[int], verdict: Verdict, *, now: bool = False) -> None:
        """Thread-safe; without effect once the channel is gone."""


class Delivery(msgspec.Struct, frozen=True, eq=False):
    """One delivered message. Settle it once: `Consumer.ack`, `reject` or `release`."""

    queue: str
    body: bytes
    message_id: str
    correlation_id: str
    traceparent: str
    headers: Mapping[str, Any]
    redelivered: bool
    """RabbitMQ handed it out before. False does not mean unseen: dedupe by message_id."""
    delivery_count: int
    """How often it came back unsettled (`x-delivery-count`); before 4.3 releases count too."""
    tag: int
    lease: Lease

    @property
    def stale(self) -> bool:
        """True once its channel is gone: RabbitMQ hands it out again, and settling has no effect.

        A stale delivery that nobody has begun is best forgotten.
        """
        return not self.lease.alive


class Inbox:
    """A thread-safe queue of deliveries; `put` is made to be a Subscription's `deliver`.

    Holds at most what the prefetch of its subscriptions allows. Stale deliveries are skipped.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Delivery] = queue.SimpleQueue()

    def put(self, delivery: Delivery) -> None:
        """Add a delivery and wake one reader; never blocks."""
        self._queue.put(delivery)

    def get(self, timeout: float) -> Delivery | None:
        """The oldest delivery, waiting up to `timeout` seconds; None where there is none."""
        deadline = time.monotonic() + timeout
        left = timeout
        while True:
            try:
                delivery = self._queue.get(timeout=max(0.0, left))
            except queue.Empty:
                return None
            if not delivery.stale:
                return delivery
            left = deadline - time.monotonic()

    def collect(self, most: int, within: float, timeout: float = 1.0) -> list[Delivery]:
        """A batch: up to `most` deliveries, or what came `within` seconds of the first.

        Waits up to `timeout` seconds for the first; empty where none came.
        """
        first = self.get(timeout)
        if first is None:
            return []
        batch = [first]
        deadline = time.monotonic() + within
        while len(batch) < most:
            delivery = self.get(deadline - time.monotonic())
            if delivery is None:
                break
            batch.append(delivery)
        return batch

    def drain(self) -> list[Delivery]:
        """Take everything that waits, at once; for a shutdown, to release what nobody began."""
        found = []
        while (delivery := self.get(0.0)) is not None:
            found.append(delivery)
        return found

    def __len__(self) -> int:
        return self._queue.qsize()
