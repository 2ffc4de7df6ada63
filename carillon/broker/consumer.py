"""Consuming several queues over one connection, each with its own channel and prefetch."""

import threading
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import structlog

from carillon.broker import topology
from carillon.broker.connection import Link
from carillon.broker.declaration import Declaration, explain
from carillon.broker.delivery import Delivery
from carillon.broker.errors import Mismatch
from carillon.broker.lane import AckPolicy, Lane, Subscription
from carillon.broker.receiving import Receiving
from carillon.broker.settling import Verdict

__all__ = ["Consumer", "Subscription"]

log = structlog.get_logger(__name__)


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
        self._link = Link(url, name, "consumer", self)
        self._log = log.bind(connection=name)
        policy = AckPolicy(ack_batch, ack_interval)
        self._lanes = [
            Lane(self._link, each, policy, changed=self._changed, lost=self._lane_lost)
            for each in subscriptions
        ]
        self._consuming = threading.Event()
        self._connection: Any = None
        self._receiving: Receiving | None = None
        self._stopping = False
        self._stopped = threading.Event()

    # --- for any thread

    def start(self) -> None:
        """Begin to connect in the background; returns at once, whether RabbitMQ is up or not."""
        self._link.start()

    def ack(self, delivery: Delivery) -> None:
        """The message is done: RabbitMQ may forget it. Thread-safe; does not wait."""
        delivery.lease.settle([delivery.tag], Verdict.ACK)

    def ack_all(self, deliveries: Iterable[Delivery]) -> None:
        """`ack` for a batch that was done together; flushed without waiting for more."""
        for _, group in groupby(deliveries, key=lambda delivery: id(delivery.lease)):
            same = list(group)
            same[0].lease.settle([delivery.tag for delivery in same], Verdict.ACK, now=True)

    def reject(self, delivery: Delivery) -> None:
        """The message is poison: dead-letter it. Thread-safe; does not wait."""
        delivery.lease.settle([delivery.tag], Verdict.REJECT)

    def release(self, delivery: Delivery) -> None:
        """Nobody began the message: give it back to its queue.

        Counts towards the delivery limit before RabbitMQ 4.3, as does leaving it unsettled at
        close; from 4.3 on only the latter counts. Finishing what was prefetched is better still.
        """
        delivery.lease.settle([delivery.tag], Verdict.RELEASE)

    def stop_consuming(self, timeout: float = 5.0) -> bool:
        """Take no more deliveries; what was delivered can still be settled.

        Returns once RabbitMQ has confirmed it, after which `deliver` is not called again; False
        where that took more than `timeout` seconds (`deliver` is not called again then either).
        """
        self._stopping = True
        if self._link.is_ready:
            self._link.call(self._cancel_all)
            confirmed = self._stopped.wait(timeout)
        else:
            confirmed = True
        for lane in self._lanes:
            lane.silence()
        return confirmed

    def close(self, timeout: float = 10.0) -> None:
        """Flush what was settled, then disconnect; at most `timeout` seconds.

        Unsettled deliveries go back to their queues. Closing twice is harmless.
        """
        self._link.close(timeout)

    @property
    def connected(self) -> bool:
        """True while there is a connection to RabbitMQ."""
        return self._link.is_ready

    @property
    def consuming(self) -> bool:
        """True while every subscription is active; for a readiness check."""
        return self._consuming.is_set()

    @property
    def seconds_since_turn(self) -> float:
        """Age of the I/O thread's last sign of life; above 10 it hangs or has died."""
        return self._link.seconds_since_turn

    @property
    def in_flight(self) -> int:
        """Deliveries that are not yet settled, on all subscriptions."""
        return sum(lane.in_flight for lane in self._lanes)

    def wait_consuming(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for every subscription to be active."""
        return self._consuming.wait(timeout)

    # --- the I/O thread

    def on_connected(self, connection: Any) -> None:
        """Declare the topology, then open every lane."""
        self._connection = connection
        self._receiving = Receiving(connection)
        if self._stopping:
            self._link.ready()
        else:
            self._declare(self._lanes)

    def on_disconnected(self, reason: str) -> None:
        """Every delivery that is not settled will be delivered again."""
        self._connection = self._receiving = None
        for lane in self._lanes:
            lane.forget()
        if self._stopping:
            self._stopped.set()

    def on_closing(self) -> None:
        """Send every verdict that waits; RabbitMQ handles them before it answers the goodbye."""
        for lane in self._lanes:
            lane.flush()
        self._link.finish()

    def _declare(self, lanes: Sequence[Lane]) -> None:
        def done(mismatches: tuple[Mismatch, ...]) -> None:
            explain(mismatches)
            if self._receiving is not None:
                for lane in lanes:
                    lane.open(self._connection, self._receiving)

        Declaration(self._connection, topology.pieces(), done, self._link.drop).start()

    def _changed(self) -> None:
        if not all(lane.active for lane in self._lanes):
            self._consuming.clear()
            return
        self._consuming.set()
        if not self._link.is_ready:
            self._link.ready()

    def _lane_lost(self, lane: Lane, reason: str) -> None:
        """A channel died while its connection lives: its queue is gone, or a message took hours."""
        if self._connection is None or not self._connection.is_open or self._stopping:
            return
        delay = lane.backoff.next()
        self._log.warning(
            "a subscription was lost", queue=lane.subscription.queue, reason=reason, retry_in=delay
        )
        self._link.later(delay, lambda: self._reopen(lane))

    def _reopen(self, lane: Lane) -> None:
        if self._connection is not None and self._connection.is_open and not self._stopping:
            self._declare([lane])

    def _cancel_all(self) -> None:
        waiting = len(self._lanes)

        def cancelled() -> None:
            nonlocal waiting
            waiting -= 1
            if waiting == 0:
                self._stopped.set()

        for lane in self._lanes:
            lane.cancel(cancelled)
