"""Consuming several queues over one connection, each with its own channel and prefetch."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from carillon.broker.delivery import Delivery


@dataclass(frozen=True, slots=True)
class Subscription:
    """One queue to consume, over an AMQP channel of its own.

    `prefetch` bounds the deliveries that are unsettled at once (1..65535). `deliver` is called on
    the I/O thread and must neither block nor raise: `Inbox.put`, or another queue's put.
    """

    queue: str
    prefetch: int
    deliver: Callable[[Delivery], None]


class Consumer:
    """Consumes queues in one I/O thread; deliveries are processed and settled in other threads.

    Settling is coalesced: acks travel every `ack_batch` deliveries or `ack_interval` seconds,
    whichever is first, as one `multiple` ack where everything older is settled too. What is
    settled but not flushed when the connection dies is delivered again: a batch is a window for
    duplicates. Reconnects and subscribes again with backoff.
    """

    def __init__(
        self,
        url: str,
        subscriptions: Sequence[Subscription],
        *,
        name: str,
        ack_batch: int = 20,
        ack_interval: float = 0.02,
    ) -> None:
        """`name` ("email_worker") shows in RabbitMQ's list of connections and in logs."""

    def start(self) -> None:
        """Begin to connect in the background; returns at once. A broker that is down is no error."""
        raise NotImplementedError

    def ack(self, delivery: Delivery) -> None:
        """The message is done: RabbitMQ may forget it. Thread-safe; does not wait."""
        raise NotImplementedError

    def ack_all(self, deliveries: Iterable[Delivery]) -> None:
        """`ack` for a batch that was done together; flushed without waiting for more."""
        raise NotImplementedError

    def reject(self, delivery: Delivery) -> None:
        """The message is poison: dead-letter it. Thread-safe; does not wait."""
        raise NotImplementedError

    def release(self, delivery: Delivery) -> None:
        """Nobody began the message: give it back to its queue, at its place.

        Counts towards the delivery limit before RabbitMQ 4.3, as does leaving it unsettled at
        close; from 4.3 on only the latter counts. Finishing what was prefetched is better still.
        """
        raise NotImplementedError

    def stop_consuming(self, timeout: float = 5.0) -> bool:
        """Take no more deliveries; what was delivered can still be settled.

        Returns once RabbitMQ has confirmed it, after which `deliver` is not called again; False
        where that took more than `timeout` seconds (`deliver` is not called again then either).
        """
        raise NotImplementedError

    def close(self, timeout: float = 10.0) -> None:
        """Flush what was settled, then disconnect; at most `timeout` seconds.

        Unsettled deliveries go back to their queues. Closing twice is harmless.
        """
        raise NotImplementedError

    @property
    def connected(self) -> bool:
        """True while there is a connection to RabbitMQ."""
        raise NotImplementedError

    @property
    def consuming(self) -> bool:
        """True while every subscription is active; for a readiness check."""
        raise NotImplementedError

    @property
    def seconds_since_turn(self) -> float:
        """Age of the I/O thread's last sign of life; above 10 it hangs or has died."""
        raise NotImplementedError

    @property
    def in_flight(self) -> int:
        """Deliveries that are not yet settled, on all subscriptions."""
        raise NotImplementedError

    def wait_consuming(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for every subscription to be active."""
        raise NotImplementedError
