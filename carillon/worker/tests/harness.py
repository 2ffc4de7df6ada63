"""A runner at work on real servers, and what it says."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from prometheus_client import REGISTRY

from carillon.broker import topology
from carillon.broker.connection import Backoff
from carillon.broker.consumer import Consumer, Subscription
from carillon.broker.delivery import Delivery
from carillon.broker.messages import OutgoingMessage
from carillon.broker.publisher import Publisher
from carillon.contracts.channels import CHANNELS
from carillon.contracts.lanes import Lane
from carillon.contracts.messages import DeliveryEvent, DeliveryJob, decode_event, encode
from carillon.worker.rate_limit import Rate
from carillon.worker.runner import Runner
from carillon.worker.settings import Threads, WorkerSettings
from carillon.worker.tests.doubles import RecordingProvider, configured

WAIT_SECONDS = 60.0


def settings(redis_url: str, rabbitmq_url: str, **changes: Any) -> WorkerSettings:
    """A small email worker: one thread a lane and one shared, unless told otherwise."""
    fields: dict[str, Any] = {
        "worker": "email_worker",
        "channels": (CHANNELS["email"],),
        "redis_url": redis_url,
        "rabbitmq_url": rabbitmq_url,
        "host": "127.0.0.1",
        "port": 0,
        "processes": 1,
        "threads": Threads(dict.fromkeys(Lane, 1), 1),
        "prefetch": dict.fromkeys(Lane, 20),
        "drain_seconds": 2.0,
        # Of a stop that waits for nobody little is used.
        "stop_seconds": 60.0,
        "longest_call_seconds": 60.0,
        "dedupe_ttl_seconds": 3600,
    }
    return WorkerSettings(**{**fields, **changes})


@contextmanager
def running(
    settings: WorkerSettings, *providers: RecordingProvider, rate: Rate | None = None
) -> Iterator[Runner]:
    """A runner that consumes; stopped at the end."""
    runner = Runner(settings, {"email": configured(*providers, rate=rate)})
    runner.start()
    try:
        assert runner.wait_consuming(WAIT_SECONDS)
        yield runner
    finally:
        runner.stop()


class _Never(Backoff):
    """Not while any test runs."""

    def next(self) -> float:
        return 3600.0


class Platform:
    """The rest of the platform: publishes jobs, takes events and dead letters."""

    def __init__(self, rabbitmq_url: str) -> None:
        self.events: list[DeliveryEvent] = []
        self.dead: list[Delivery] = []
        self._change = threading.Condition()
        self._publisher = Publisher(rabbitmq_url, name="test")
        self._consumer = Consumer(
            rabbitmq_url,
            [
                Subscription(topology.EVENTS_QUEUE, 500, self._take_event),
                Subscription(topology.dead_queue_for("email"), 500, self._take_dead),
            ],
            name="test",
        )

    def __enter__(self) -> "Platform":
        self._publisher.start()
        self._consumer.start()
        assert self._publisher.wait_connected(WAIT_SECONDS)
        assert self._consumer.wait_consuming(WAIT_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._publisher.close()
        self._consumer.close()

    def publish(self, *jobs: DeliveryJob) -> None:
        """As the relay does."""
        self.publish_raw(
            [
                OutgoingMessage(
                    route=topology.route_for(job.channel, job.lane),
                    body=encode(job),
                    message_id=job.message_id,
                    correlation_id=job.correlation_id,
                )
                for job in jobs
            ]
        )

    def publish_raw(self, messages: Sequence[OutgoingMessage]) -> None:
        results = self._publisher.publish(messages, WAIT_SECONDS)
        assert all(result.confirmed for result in results)

    def wait_events(self, count: int, timeout: float = WAIT_SECONDS) -> list[DeliveryEvent]:
        """The events, as soon as there are `count`."""
        return self._wait(self.events, count, "events", timeout)

    def wait_told(self, count: int, timeout: float = WAIT_SECONDS) -> list[DeliveryEvent]:
        """The events, as soon as `count` attempts have one; a crash may repeat some."""

        def attempts() -> int:
            return len({(event.notification_id, event.attempt) for event in self.events})

        with self._change:
            told = self._change.wait_for(lambda: attempts() >= count, timeout)
            assert told, f"{attempts()} of {count} attempts"
            return list(self.events)

    def wait_dead(self, count: int, timeout: float = WAIT_SECONDS) -> list[Delivery]:
        """The dead letters, as soon as there are `count`."""
        return self._wait(self.dead, count, "dead letters", timeout)

    def event_of(self, job: DeliveryJob, timeout: float = WAIT_SECONDS) -> DeliveryEvent:
        """The first event of `job`."""
        with self._change:
            found = self._change.wait_for(lambda: self._events_of(job), timeout)
        assert found, f"no event of {job.message_id}"
        return self._events_of(job)[0]

    @contextmanager
    def declaring_no_events(self) -> Iterator[None]:
        """What becomes of the queue of events stays so until the end, when it is declared anew."""
        lane = self._consumer._lanes[0]
        lane.backoff = _Never()
        yield
        eventually(lambda: not lane.active, "its consumer has lost it")
        lane.backoff = Backoff()
        self._consumer._link.call(lambda: self._consumer._reopen(lane))

    def _events_of(self, job: DeliveryJob) -> list[DeliveryEvent]:
        return [
            event
            for event in self.events
            if (event.notification_id, event.attempt) == (job.notification_id, job.attempt)
        ]

    def _wait(self, things: list[Any], count: int, name: str, timeout: float) -> list[Any]:
        with self._change:
            came = self._change.wait_for(lambda: len(things) >= count, timeout)
            assert came, f"{len(things)} of {count} {name}"
            return list(things)

    def _take_event(self, delivery: Delivery) -> None:
        self._take(self.events, decode_event(delivery.body), delivery)

    def _take_dead(self, delivery: Delivery) -> None:
        self._take(self.dead, delivery, delivery)

    def _take(self, things: list[Any], thing: object, delivery: Delivery) -> None:
        with self._change:
            things.append(thing)
            self._change.notify_all()
        self._consumer.ack(delivery)


def eventually(condition: Callable[[], bool], what: str, timeout: float = WAIT_SECONDS) -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.01)


def sample(name: str, **labels: str) -> float:
    """What this process's metric is now; 0 where nothing has touched it."""
    return REGISTRY.get_sample_value(name, labels) or 0.0
