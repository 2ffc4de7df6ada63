"""Several jobs in one turn: nothing of what holds for single ones is lost."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import Address, DeliveryJob, Outcome
from carillon.contracts.provider import Acceptance, OutcomeUnknown
from carillon.errors import DeliveryFailure, PermanentFailure, Reason, TemporaryFailure
from carillon.testing.providers import delivery_job
from carillon.worker.crew import CrewMember
from carillon.worker.dedupe import MARKER_PREFIX, Done, Started, _decoder
from carillon.worker.lanes import LaneQueues
from carillon.worker.pace import MOST_AT_ONCE
from carillon.worker.redis_link import RedisLink
from carillon.worker.settings import Threads
from carillon.worker.tests.conftest import Broker
from carillon.worker.tests.doubles import Gate, RecordingProvider
from carillon.worker.tests.harness import Platform, eventually, running, settings

pytestmark = pytest.mark.integration

THREADS = Threads(dict.fromkeys(Lane, 1), 7)
REST = 0.00123  # seconds; nobody else waits for so long


class QuickProvider(RecordingProvider):
    """Takes several jobs at once; `turns` are their numbers, `behave` is as for single ones."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.turns: list[int] = []
        self.ends_after: int | None = None

    def send_in_turn(self, jobs: Sequence[DeliveryJob]) -> Iterator[Acceptance | DeliveryFailure]:
        self.turns.append(len(jobs))
        for at, job in enumerate(jobs):
            if at == self.ends_after:
                return
            try:
                yield self.send(job)
            except DeliveryFailure as failure:
                yield failure

    @property
    def several(self) -> bool:
        return any(size > 1 for size in self.turns)


def run(
    platform: Platform, broker: Broker, redis_url: str, jobs: list[DeliveryJob], *providers: object
) -> None:
    """Publish the jobs before anybody consumes, so that there are several to take."""
    platform.publish(*jobs)
    config = settings(redis_url, broker.url, threads=THREADS)
    with begun_together(len(jobs)), running(config, *providers):  # type: ignore[arg-type]
        platform.wait_told(len({job.message_id for job in jobs}))


@contextmanager
def begun_together(count: int) -> Iterator[None]:
    """No thread takes a job before as many are there: from a slow broker each takes one."""
    take, there = LaneQueues.take, threading.Event()
    wanted = min(count, settings("", "").prefetch[Lane.NORMAL])

    def patient(queues: LaneQueues[Any], *given: Any, **named: Any) -> Any:
        while not there.is_set():
            if len(queues) >= wanted:
                there.set()
            there.wait(0.01)
        return take(queues, *given, **named)

    with mock.patch.object(LaneQueues, "take", patient):
        yield


def test_each_is_sent_once_and_told_once(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    provider = QuickProvider()
    jobs = [delivery_job() for _ in range(200)]
    run(platform, broker, redis_url, jobs, provider)
    assert provider.several
    assert max(provider.turns) <= MOST_AT_ONCE
    assert sorted(provider.sent) == sorted(job.message_id for job in jobs)
    for job in jobs:
        event = platform.event_of(job)
        assert event.outcome is Outcome.DELIVERED
        assert event.provider_message_id == f"recording-{job.message_id}"
        assert event.started_at <= event.occurred_at
        assert not event.possible_duplicate


def test_a_copy_is_sent_once(platform: Platform, broker: Broker, redis_url: str) -> None:
    provider = QuickProvider()
    jobs = [delivery_job() for _ in range(30)]
    run(platform, broker, redis_url, [job for job in jobs for _ in range(2)], provider)
    assert sorted(provider.sent) == sorted(job.message_id for job in jobs)


def test_failures_are_each_jobs_own(platform: Platform, broker: Broker, redis_url: str) -> None:
    answers: dict[str, Exception] = {
        "b@example.com": PermanentFailure("unknown", reason=Reason.INVALID_ADDRESS, code="550"),
        "c@example.com": TemporaryFailure("greylisted", reason=Reason.OTHER, retry_after=7.0),
        "d@example.com": OutcomeUnknown("lost"),
    }

    def behave(job: DeliveryJob) -> None:
        if job.addresses[0].value in answers:
            raise answers[job.addresses[0].value]

    provider = QuickProvider(behave=behave)
    names = ["a", "b", "c", "a", "d", "a", "a"]
    jobs = [delivery_job(addresses=(Address(f"{name}@example.com"),)) for name in names]
    run(platform, broker, redis_url, jobs, provider)
    assert provider.several
    outcomes = [platform.event_of(job).outcome for job in jobs]
    sent, unknown = Outcome.DELIVERED, platform.event_of(jobs[4])
    assert outcomes == [
        sent, Outcome.BOUNCED, Outcome.DEFERRED, sent, Outcome.DEFERRED, sent, sent
    ]  # fmt: skip
    assert unknown.possible_duplicate
    assert platform.event_of(jobs[2]).retry_after == 7.0
    assert sorted(provider.calls) == sorted(job.message_id for job in jobs)


def test_trouble_moves_the_rest_to_a_stand_in(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    def down(_job: DeliveryJob) -> None:
        raise TemporaryFailure("503")

    first, second = QuickProvider("first", down), QuickProvider("second")
    jobs = [delivery_job() for _ in range(60)]
    run(platform, broker, redis_url, jobs, first, second)
    assert sorted(second.sent) == sorted(job.message_id for job in jobs)
    assert {event.provider for event in platform.events} == {"second"}
    assert not any(event.possible_duplicate for event in platform.events)
    # Each turn ends with the first failure: no more than as many single calls would have been.
    assert len(first.calls) <= 5 + THREADS.total


def test_a_bug_of_the_provider_harms_only_its_job(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    jobs = [delivery_job() for _ in range(40)]
    bad = jobs[3].message_id

    def behave(job: DeliveryJob) -> None:
        if job.message_id == bad:
            raise RuntimeError("a bug")

    provider = QuickProvider(behave=behave)
    run(platform, broker, redis_url, jobs, provider)
    assert platform.event_of(jobs[3]).error_code == "defect"
    assert sorted(provider.sent) == sorted(job.message_id for job in jobs if job is not jobs[3])


def test_what_a_provider_does_not_answer_for_is_sent_later(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    provider = QuickProvider()
    provider.ends_after = 1
    jobs = [delivery_job() for _ in range(40)]
    run(platform, broker, redis_url, jobs, provider)
    assert sorted(provider.calls) == sorted(job.message_id for job in jobs)
    assert not any(event.possible_duplicate for event in platform.events)


def test_what_may_not_be_sent_is_not(platform: Platform, broker: Broker, redis_url: str) -> None:
    provider = QuickProvider()
    past = datetime.now(UTC) - timedelta(seconds=1)
    jobs = [delivery_job(expires_at=past if at % 3 == 0 else None) for at in range(30)]
    run(platform, broker, redis_url, jobs, provider)
    assert provider.several
    for at, job in enumerate(jobs):
        expected = Outcome.EXPIRED if at % 3 == 0 else Outcome.DELIVERED
        assert platform.event_of(job).outcome is expected
    assert len(provider.calls) == 20


def test_no_more_are_begun_than_there_are_threads(
    platform: Platform, broker: Broker, redis_url: str, link: RedisLink
) -> None:
    """A crash leaves an unknown outcome of as many jobs as there are threads, and no more."""
    gate = Gate()
    provider = QuickProvider(behave=gate.pass_through)
    jobs = [delivery_job() for _ in range(60)]
    platform.publish(*jobs)
    config = settings(redis_url, broker.url, threads=THREADS)
    with begun_together(len(jobs)), running(config, provider):
        # One that its lane has to itself, and the shared.
        expected = THREADS.reserved[Lane.NORMAL] + THREADS.shared
        eventually(lambda: len(markers(link, jobs)) == expected, "as many as may be are begun")
        # Housekeeping wakes idle threads: they must find no place.
        threading.Event().wait(1.5)
        found = markers(link, jobs)
        assert all(isinstance(marker, Started) for marker in found)
        assert len(found) == expected
        gate.open()
        platform.wait_told(60)
    assert provider.several


def test_a_slow_call_keeps_no_other_job(
    platform: Platform, broker: Broker, redis_url: str, link: RedisLink
) -> None:
    """What was marked with it is as if it had not been begun, and others take it."""
    gate = Gate()
    jobs = [delivery_job() for _ in range(5)]

    def behave(job: DeliveryJob) -> None:
        if job.message_id == provider.calls[0]:
            gate.pass_through()

    provider = QuickProvider(behave=behave)
    platform.publish(*jobs)
    with running(settings(redis_url, broker.url, threads=THREADS), provider):
        provider.wait_calls(1)
        threading.Timer(0.2, gate.open).start()
        platform.wait_told(5)
        eventually(
            lambda: all(isinstance(marker, Done) for marker in markers(link, jobs)), "all done"
        )
    assert sorted(provider.sent) == sorted(job.message_id for job in jobs)
    assert not any(event.possible_duplicate for event in platform.events)


def markers(link: RedisLink, jobs: Sequence[DeliveryJob]) -> list[Started | Done]:
    found = link.run(*(("GET", MARKER_PREFIX + job.message_id) for job in jobs))
    return [_decoder.decode(value) for value in found if value is not None]


def test_nothing_waits_unwritten_while_a_thread_rests(
    platform: Platform, broker: Broker, redis_url: str
) -> None:
    unwritten: list[int] = []
    wait = threading.Event.wait

    def resting(event: threading.Event, seconds: float | None = None) -> bool:
        thread = threading.current_thread()
        if seconds == REST and isinstance(thread, CrewMember):
            unwritten.append(len(thread._unwritten))
        return wait(event, seconds)

    provider = QuickProvider()
    with (
        mock.patch.object(LaneQueues, "rest_after", return_value=REST),
        mock.patch.object(threading.Event, "wait", resting),
    ):
        run(platform, broker, redis_url, [delivery_job() for _ in range(10)], provider)
    assert provider.several
    assert unwritten
    assert not any(unwritten)
