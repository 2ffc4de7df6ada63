"""Providers and other partners that do as a test tells them."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from carillon.broker.delivery import Delivery
from carillon.contracts.messages import DeliveryJob, Outcome
from carillon.contracts.provider import Acceptance, Capabilities
from carillon.worker.dedupe import Done
from carillon.worker.rate_limit import Rate
from carillon.worker.registry import ConfiguredProvider


class RecordingProvider:
    """Keeps what it is given; `behave` may raise, or wait."""

    def __init__(
        self,
        name: str = "recording",
        behave: Callable[[DeliveryJob], None] = lambda _job: None,
        *,
        receipts: bool = False,
        platforms: frozenset[str] | None = None,
    ) -> None:
        self.capabilities = Capabilities(platforms=platforms)
        self.name = name
        self.receipts = receipts
        self.behave = behave
        self.closed = False
        self._calls: list[DeliveryJob] = []
        self._sent: list[DeliveryJob] = []
        self._change = threading.Condition()

    def send(self, job: DeliveryJob) -> Acceptance:
        with self._change:
            self._calls.append(job)
            self._change.notify_all()
        self.behave(job)
        with self._change:
            self._sent.append(job)
            self._change.notify_all()
        return Acceptance(f"{self.name}-{job.message_id}")

    def close(self) -> None:
        self.closed = True

    @property
    def calls(self) -> list[str]:
        """Message ids, in the order of the calls."""
        with self._change:
            return [job.message_id for job in self._calls]

    @property
    def jobs(self) -> list[DeliveryJob]:
        """The jobs themselves, in the order of the calls."""
        with self._change:
            return list(self._calls)

    @property
    def sent(self) -> list[str]:
        """Message ids that were accepted, in order."""
        with self._change:
            return [job.message_id for job in self._sent]

    def wait_calls(self, count: int, timeout: float = 60.0) -> None:
        """Until it was called `count` times."""
        with self._change:
            assert self._change.wait_for(lambda: len(self._calls) >= count, timeout), (
                f"{len(self._calls)} of {count} calls"
            )

    def wait_sent(self, count: int, timeout: float = 60.0) -> None:
        """Until it accepted `count` messages."""
        with self._change:
            assert self._change.wait_for(lambda: len(self._sent) >= count, timeout), (
                f"{len(self._sent)} of {count} sent"
            )


class Gate:
    """Holds back whoever passes it until it is opened."""

    def __init__(self) -> None:
        self._open = threading.Event()

    def pass_through(self, _job: object = None) -> None:
        assert self._open.wait(60), "nobody opened the gate"

    def open(self) -> None:
        self._open.set()


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class _Lease:
    def __init__(self) -> None:
        self.alive = True

    def settle(self, tags: list[int], verdict: Any, *, now: bool = False) -> None:
        """Nothing to settle: there is no broker."""


def delivery_of(body: bytes = b"", *, redelivered: bool = False, message_id: str = "") -> Delivery:
    """A delivery without a broker."""
    return Delivery(
        queue="email.queue",
        body=body,
        message_id=message_id,
        correlation_id="corr_1",
        traceparent="",
        headers={},
        redelivered=redelivered,
        delivery_count=0,
        tag=1,
        lease=_Lease(),
    )


def make_stale(delivery: Delivery) -> None:
    """RabbitMQ has taken it back."""
    assert isinstance(delivery.lease, _Lease)
    delivery.lease.alive = False


def done(outcome: Outcome = Outcome.DELIVERED, event_id: str = "evt_1") -> Done:
    """An outcome."""
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return Done(
        event_id=event_id,
        outcome=outcome,
        started_at=now,
        occurred_at=now,
        duration_ms=1.5,
        provider="recording",
        provider_message_id="id-1",
    )


def configured(*providers: RecordingProvider, rate: Rate | None = None) -> Any:
    """The providers in order, as the registry would give them."""
    return tuple(ConfiguredProvider(provider, rate) for provider in providers)
