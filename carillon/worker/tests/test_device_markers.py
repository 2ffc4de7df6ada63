"""A job for several devices whose worker did not finish: who is called again, and who is not."""

import time
from pathlib import Path

import pytest

from carillon.contracts.messages import (
    Address,
    DeliveryJob,
    DeliveryPolicy,
    DeviceResult,
    Outcome,
    PushContent,
)
from carillon.errors import Reason
from carillon.testing.providers import delivery_job
from carillon.worker.admission import MOST_STARTS, Send, Settle
from carillon.worker.dedupe import MARKER_PREFIX, Done, Started
from carillon.worker.hands import Hand
from carillon.worker.redis_link import RedisLink
from carillon.worker.tests.conftest import Broker
from carillon.worker.tests.doubles import done
from carillon.worker.tests.harness import Platform, eventually
from carillon.worker.tests.process import CRASH, HOLD
from carillon.worker.tests.processes import Ledger, WorkerProcess, forget_the_dead
from carillon.worker.tests.test_admission import Worker, again

pytestmark = pytest.mark.integration

DEVICES = tuple(Address(f"token-{name}", "fcm", f"device_{name}") for name in "abc")


def push(title: str = "T", policy: DeliveryPolicy = DeliveryPolicy.AT_LEAST_ONCE) -> DeliveryJob:
    return delivery_job("push", addresses=DEVICES, content=PushContent(title), delivery=policy)


def hand_for(job: DeliveryJob) -> Hand:
    return Hand(job, job.message_id, redelivered=False)


def taken(name: str) -> DeviceResult:
    return DeviceResult(
        device_id=f"device_{name}", platform="fcm", attempt=1, outcome=Outcome.DELIVERED
    )


def begun(worker: Worker, hand: Hand, *settled: DeviceResult, starts: int = 1) -> None:
    """`worker` has begun the job and is done with some devices."""
    worker.admit(hand)
    assert worker.ledger.progress(hand.message_id, hand.begun_at, starts, settled)


@pytest.fixture
def first(link: RedisLink) -> Worker:
    return Worker(link, "worker-1")


@pytest.fixture
def second(link: RedisLink) -> Worker:
    return Worker(link, "worker-2")


def test_who_takes_over_learns_which_devices_are_done(first: Worker, second: Worker) -> None:
    hand = hand_for(push())
    begun(first, hand, taken("a"))
    admitted = second.admit(again(hand))
    assert admitted == Send(possible_duplicate=True, starts=2, settled=(taken("a"),))


def test_the_third_to_take_over_learns_of_both(
    first: Worker, second: Worker, link: RedisLink
) -> None:
    hand, redelivered = hand_for(push()), None
    begun(first, hand, taken("a"))
    redelivered = again(hand)
    begun(second, redelivered, taken("a"), taken("b"), starts=2)
    alone = again(hand)
    alone.alone = True
    admitted = Worker(link, "worker-3").admit(alone)
    assert admitted == Send(possible_duplicate=True, starts=3, settled=(taken("a"), taken("b")))


def test_at_most_once_the_devices_that_are_done_are_the_outcome(
    first: Worker, second: Worker
) -> None:
    hand = hand_for(push(policy=DeliveryPolicy.AT_MOST_ONCE))
    begun(first, hand, taken("a"))
    admitted = second.admit(again(hand))
    assert isinstance(admitted, Settle)
    assert admitted.done.outcome is Outcome.DELIVERED
    assert [each.reason for each in admitted.done.devices] == [
        None,
        Reason.OUTCOME_UNKNOWN,
        Reason.OUTCOME_UNKNOWN,
    ]


def test_poison_does_not_forget_what_was_delivered(link: RedisLink) -> None:
    hand = hand_for(push())
    for number in range(1, MOST_STARTS + 1):
        redelivered = again(hand)
        redelivered.alone = True
        begun(Worker(link, f"worker-{number}"), redelivered, taken("a"), starts=number)
    redelivered = again(hand)
    redelivered.alone = True
    admitted = Worker(link, "worker-9").admit(redelivered)
    assert isinstance(admitted, Settle)
    assert admitted.poison
    assert admitted.done.outcome is Outcome.DELIVERED


def test_whoever_was_taken_for_dead_writes_over_nothing(first: Worker, second: Worker) -> None:
    hand = hand_for(push())
    begun(first, hand, taken("a"))
    second.admit(again(hand))
    assert not first.ledger.progress(hand.message_id, hand.begun_at, 1, (taken("a"), taken("b")))
    second.ledger.finish([(hand.message_id, done())])
    assert not first.ledger.progress(hand.message_id, hand.begun_at, 1, (taken("a"),))
    assert isinstance(first.ledger.begin(hand.message_id, 0.0), Done)


def test_a_marker_that_redis_lost_is_written_again(first: Worker, link: RedisLink) -> None:
    hand = hand_for(push())
    first.admit(hand)
    link.run(("FLUSHDB",))
    assert first.ledger.progress(hand.message_id, hand.begun_at, 1, (taken("a"),))
    assert first.ledger.begin(hand.message_id, 0.0) == Started(
        "worker-1", hand.begun_at, 1, (taken("a"),)
    )


def test_an_unreadable_marker_is_left_alone(first: Worker, link: RedisLink) -> None:
    link.run(("SET", f"{MARKER_PREFIX}notif_1:1", b"\xc1 of tomorrow"))
    assert not first.ledger.progress("notif_1:1", time.time(), 1, ())


def reached(ledger: Ledger) -> dict[str, int]:
    """How often each device accepted, by its last letter."""
    return {name[-1]: count for name, count in ledger.accepted.items()}


def test_killed_between_two_devices_no_device_rings_twice(
    platform: Platform, broker: Broker, redis_url: str, tmp_path: Path, link: RedisLink
) -> None:
    """The kill meets the second device before it has accepted: the usual place of a crash."""
    ledger = Ledger(tmp_path)
    job = push(HOLD)
    with WorkerProcess(tmp_path, redis_url, broker.url, WORKER="push_worker") as worker:
        platform.publish(job)
        eventually(lambda: len(ledger.lines("called")) == 2, "the second device is called")
        worker.kill()
    forget_the_dead(redis_url)
    ledger.open_gate()
    with WorkerProcess(tmp_path, redis_url, broker.url, WORKER="push_worker"):
        event = platform.event_of(job)
    assert reached(ledger) == {"a": 1, "b": 1, "c": 1}
    assert event.outcome is Outcome.DELIVERED
    assert [(each.device_id, each.possible_duplicate) for each in event.devices] == [
        ("device_a", False),
        ("device_b", True),
        ("device_c", True),
    ]


def test_a_device_that_kills_its_workers_takes_none_of_the_others_along(
    platform: Platform, broker: Broker, redis_url: str, tmp_path: Path, link: RedisLink
) -> None:
    ledger = Ledger(tmp_path)
    job = push(CRASH)
    platform.publish(job)
    for _ in range(MOST_STARTS):
        with WorkerProcess(tmp_path, redis_url, broker.url, WORKER="push_worker") as worker:
            worker.wait()
        forget_the_dead(redis_url)
    with WorkerProcess(tmp_path, redis_url, broker.url, WORKER="push_worker"):
        event = platform.event_of(job)
    assert reached(ledger) == {"a": 1}
    assert (event.outcome, event.devices[0].outcome) == (Outcome.DELIVERED, Outcome.DELIVERED)
    assert event.devices[1].reason is Reason.OUTCOME_UNKNOWN
