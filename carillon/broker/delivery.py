"""A message that RabbitMQ handed over, and where it waits for a thread."""

from collections.abc import Mapping
from typing import Any

import msgspec


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
    lease: Any

    @property
    def stale(self) -> bool:
        """True once its channel is gone: RabbitMQ hands it out again, and settling has no effect.

        A stale delivery that nobody has begun is best forgotten.
        """
        raise NotImplementedError


class Inbox:
    """A thread-safe queue of deliveries; `put` is made to be a Subscription's `deliver`.

    Holds at most what the prefetch of its subscriptions allows. Stale deliveries are skipped.
    """

    def put(self, delivery: Delivery) -> None:
        """Add a delivery and wake one reader; never blocks."""
        raise NotImplementedError

    def get(self, timeout: float) -> Delivery | None:
        """The oldest delivery, waiting up to `timeout` seconds; None where there is none."""
        raise NotImplementedError

    def collect(self, most: int, within: float, timeout: float = 1.0) -> list[Delivery]:
        """A batch: up to `most` deliveries, or what came `within` seconds of the first.

        Waits up to `timeout` seconds for the first; empty where none came.
        """
        raise NotImplementedError

    def drain(self) -> list[Delivery]:
        """Take everything that waits, at once; for a shutdown, to release what nobody began."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError
