"""Consuming delivery events in batches, and never letting one bad event or an outage lose any."""

import threading
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from carillon.broker import topology
from carillon.broker.consumer import Consumer, Subscription
from carillon.broker.delivery import Delivery, Inbox
from gateway.deliveries.appliers import Applier
from gateway.deliveries.config import EventsSettings

# Seconds.
COLLECT_TIMEOUT = 0.5
STUCK_AFTER = 60.0
# While PostgreSQL works on one's batch, another reads its own.
APPLIERS = 2


class EventsConsumer:
    """Applies what arrives in `gateway.events.queue` until it is told to stop.

    A batch is acknowledged after its commit. While the database is away the batch is kept and
    tried again. An event that cannot be read, or that the database refuses by itself, is rejected:
    RabbitMQ parks it. Two batches may be under way at once, as those of two processes may.
    """

    def __init__(self, url: str, settings: EventsSettings) -> None:
        self._settings = settings
        self._inbox = Inbox()
        self._consumer = Consumer(
            url,
            [Subscription(topology.EVENTS_QUEUE, settings.prefetch, self._inbox.put)],
            name="events",
        )
        self._stop = threading.Event()
        # Held by who collects: a batch is what arrived one after the other.
        self._collecting = threading.Lock()
        self._appliers = [Applier(self._consumer, settings, self._stop) for _ in range(APPLIERS)]

    def stop(self) -> None:
        """Take no more events; `run` returns once those that arrived are applied and acked."""
        self._stop.set()

    @property
    def consuming(self) -> bool:
        """True while RabbitMQ delivers to us."""
        return self._consumer.consuming

    @property
    def alive(self) -> bool:
        """True while every applier and the consumer's I/O thread turn."""
        turned = time.monotonic() - min(applier.turned for applier in self._appliers)
        return max(turned, self._consumer.seconds_since_turn) < STUCK_AFTER

    def run(self) -> None:
        """Apply events until `stop`; outages of the database or of RabbitMQ are waited for."""
        self._consumer.start()
        try:
            with ThreadPoolExecutor(len(self._appliers), "applier") as pool:
                running = [pool.submit(self._apply, applier) for applier in self._appliers]
                done, _ = wait(running, return_when=FIRST_EXCEPTION)
                # One that failed ends them all, and the process.
                self._stop.set()
            for one in done:
                one.result()
            self._consumer.stop_consuming()
            # Giving back what arrived would count against its delivery limit.
            rest = self._inbox.drain()
            for start in range(0, len(rest), self._settings.batch):
                self._appliers[0].process(rest[start : start + self._settings.batch])
        finally:
            self._consumer.close()
            for applier in self._appliers:
                applier.close()

    def _apply(self, applier: Applier) -> None:
        while not self._stop.is_set():
            applier.turned = time.monotonic()
            applier.process(self._collect())

    def _collect(self) -> list[Delivery]:
        """Empty where nothing came, or another applier is collecting."""
        if not self._collecting.acquire(timeout=COLLECT_TIMEOUT):
            return []
        try:
            return self._inbox.collect(
                self._settings.batch, self._settings.batch_wait, COLLECT_TIMEOUT
            )
        finally:
            self._collecting.release()
