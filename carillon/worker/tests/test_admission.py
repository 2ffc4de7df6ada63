"""What a marker says, and what follows from it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carillon.contracts.messages import DeliveryPolicy, Outcome
from carillon.errors import Reason
from carillon.testing.providers import delivery_job
from carillon.worker.admission import (
    MOST_STARTS,
    PATIENCE_SECONDS,
    Admission,
    Admitted,
    Send,
    Settle,
    Suspect,
    Wait,
)
from carillon.worker.dedupe import MARKER_PREFIX, DedupeLedger, Done, Started
from carillon.worker.hands import Hand
from carillon.worker.redis_link import RedisLink
from carillon.worker.tests.doubles import Clock, done

pytestmark = pytest.mark.integration

LONGEST_CALL = 100.0
POLICIES = list(DeliveryPolicy)


class Worker:
    """A process as the others see it: an owner with a ledger."""

    def __init__(self, link: RedisLink, owner: str) -> None:
        self.ledger = DedupeLedger(link, owner=owner, ttl_seconds=3600, remembered=10)
        self.clock = Clock()
        self.admission = Admission(self.ledger, longest_call=LONGEST_CALL, clock=self.clock)

    def admit(self, hand: Hand) -> Admitted:
        hand.begun_at = hand.begun_at or time.time()
        return self.admission.decide(hand, self.ledger.begin(hand.message_id, hand.begun_at))


@pytest.fixture
def first(link: RedisLink) -> Worker:
    return Worker(link, "worker-1")


@pytest.fixture
def second(link: RedisLink) -> Worker:
    return Worker(link, "worker-2")


def hand_for(*, redelivered: bool = False, **changes: Any) -> Hand:
    job = delivery_job(**changes)
    return Hand(job, job.message_id, redelivered)


def again(hand: Hand) -> Hand:
    """The same job, redelivered to somebody."""
    return Hand(hand.job, hand.message_id, redelivered=True)


def test_a_new_job_is_sent(first: Worker) -> None:
    assert first.admit(hand_for()) == Send()


@pytest.mark.parametrize("policy", POLICIES)
def test_a_finished_job_is_settled_as_it_was(
    first: Worker, second: Worker, policy: DeliveryPolicy
) -> None:
    hand = hand_for(delivery=policy)
    first.admit(hand)
    first.ledger.finish([(hand.message_id, done())])
    assert second.admit(again(hand)) == Settle(done(), found="done")


@pytest.mark.parametrize("policy", POLICIES)
def test_a_living_owner_is_waited_for(
    first: Worker, second: Worker, policy: DeliveryPolicy
) -> None:
    hand = hand_for(delivery=policy)
    first.ledger.refresh_presence()
    first.admit(hand)
    waiting = second.admit(again(hand))
    assert isinstance(waiting, Wait)
    assert waiting.cause == "owner"
    first.ledger.finish([(hand.message_id, done())])
    assert second.admit(again(hand)) == Settle(done(), found="done")


def test_a_dead_owners_job_is_sent_again_and_flagged_at_least_once(
    first: Worker, second: Worker
) -> None:
    hand = hand_for()
    first.ledger.refresh_presence()
    first.admit(hand)
    first.ledger.withdraw_presence()
    assert second.admit(again(hand)) == Send(possible_duplicate=True, starts=2)


def test_a_dead_owners_job_has_failed_at_most_once(first: Worker, second: Worker) -> None:
    hand = hand_for(delivery=DeliveryPolicy.AT_MOST_ONCE)
    first.admit(hand)
    settled = second.admit(again(hand))
    assert isinstance(settled, Settle)
    assert settled.done.outcome is Outcome.FAILED
    assert settled.done.reason is Reason.OUTCOME_UNKNOWN
    assert not settled.poison


def test_a_taken_over_job_is_nobody_elses(first: Worker, second: Worker, link: RedisLink) -> None:
    hand = hand_for()
    first.admit(hand)
    second.ledger.refresh_presence()
    assert second.admit(again(hand)) == Send(possible_duplicate=True, starts=2)
    third = Worker(link, "worker-3")
    assert isinstance(third.admit(again(hand)), Wait)


def test_an_owner_that_takes_longer_than_any_call_is_not_waited_for(
    first: Worker, second: Worker
) -> None:
    hand = hand_for()
    hand.begun_at = time.time() - LONGEST_CALL - 1
    first.ledger.refresh_presence()
    first.admit(hand)
    assert second.admit(again(hand)) == Send(possible_duplicate=True, starts=2)


def test_a_lost_answer_does_not_make_a_job_a_duplicate(first: Worker) -> None:
    hand = hand_for()
    first.ledger.refresh_presence()
    assert first.admit(hand) == Send()
    # The same hand asks again, as after a timeout whose command had arrived.
    assert first.admit(hand) == Send()


def test_a_lost_answer_to_a_takeover_keeps_the_flag(first: Worker, second: Worker) -> None:
    hand = hand_for()
    first.admit(hand)
    redelivered = again(hand)
    second.ledger.refresh_presence()
    assert second.admit(redelivered) == Send(possible_duplicate=True, starts=2)
    assert second.admit(redelivered) == Send(possible_duplicate=True, starts=2)


def test_our_own_older_marker_is_an_unknown_outcome(first: Worker) -> None:
    hand = hand_for()
    first.ledger.refresh_presence()
    first.admit(hand)
    assert first.admit(again(hand)) == Send(possible_duplicate=True, starts=2)


def test_a_job_that_stops_its_workers_is_poison(link: RedisLink) -> None:
    hand = hand_for()
    for number in range(MOST_STARTS):
        worker, redelivered = Worker(link, f"worker-{number}"), again(hand)
        if number == MOST_STARTS - 1:
            assert worker.admit(redelivered) == Suspect()
            redelivered.alone = True
        assert worker.admit(redelivered) == Send(possible_duplicate=number > 0, starts=number + 1)
    settled = Worker(link, "the last").admit(again(hand))
    assert isinstance(settled, Settle)
    assert settled.poison
    assert (settled.done.outcome, settled.done.reason) == (Outcome.FAILED, Reason.OUTCOME_UNKNOWN)


def test_a_suspect_whose_owner_lives_is_waited_for(link: RedisLink) -> None:
    hand = hand_for()
    for number in range(MOST_STARTS - 1):
        worker = Worker(link, f"worker-{number}")
        worker.admit(again(hand))
    worker.ledger.refresh_presence()
    assert isinstance(Worker(link, "the next").admit(again(hand)), Wait)


def test_a_marker_of_a_later_release_is_an_unknown_outcome(first: Worker, link: RedisLink) -> None:
    hand = hand_for()
    link.run(("SET", MARKER_PREFIX + hand.message_id, b"\x93from the future"))
    assert first.admit(hand) == Send(possible_duplicate=True, starts=2)
    first.ledger.refresh_presence()
    assert first.ledger.begin(hand.message_id, 1.0) == Started("worker-1", hand.begun_at, 2)


def test_markers_expire(first: Worker, link: RedisLink) -> None:
    hand = hand_for()
    first.admit(hand)
    key = MARKER_PREFIX + hand.message_id
    assert 3590 < link.run(("TTL", key))[0] <= 3600
    first.ledger.finish([(hand.message_id, done())])
    assert 3590 < link.run(("TTL", key))[0] <= 3600


def past() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=1)


def test_an_expired_job_is_not_sent(first: Worker) -> None:
    settled = first.admit(hand_for(expires_at=past()))
    assert isinstance(settled, Settle)
    assert (settled.done.outcome, settled.done.reason) == (Outcome.EXPIRED, Reason.EXPIRED)


def test_a_job_that_was_sent_and_expired_since_was_sent(first: Worker, second: Worker) -> None:
    hand = hand_for(expires_at=past())
    first.ledger.finish([(hand.message_id, done())])
    assert second.admit(again(hand)) == Settle(done(), found="done")


def test_a_job_that_may_have_been_sent_and_expired_since_is_unknown(
    first: Worker, second: Worker
) -> None:
    hand = hand_for(expires_at=past())
    first.ledger.begin(hand.message_id, 1.0)
    settled = second.admit(again(hand))
    assert isinstance(settled, Settle)
    assert settled.done.reason is Reason.OUTCOME_UNKNOWN


def test_a_job_without_an_address_is_rejected(first: Worker) -> None:
    settled = first.admit(hand_for(addresses=()))
    assert isinstance(settled, Settle)
    assert (settled.done.outcome, settled.done.reason) == (Outcome.REJECTED, Reason.NO_ADDRESS)


def test_the_next_marker_travels_with_the_last_outcome(first: Worker, second: Worker) -> None:
    one, two = hand_for(), hand_for()
    first.admit(one)
    assert first.ledger.finish_and_begin([(one.message_id, done())], [two.message_id], 5.0) == [
        None
    ]
    assert second.ledger.begin(one.message_id, 6.0) == done()
    assert second.ledger.begin(two.message_id, 6.0) == Started("worker-1", 5.0)


def test_a_ledger_remembers_its_own_and_forgets_the_oldest(first: Worker) -> None:
    for number in range(12):
        first.ledger.remember(f"notif:{number}", done(event_id=f"evt_{number}"))
    assert first.ledger.recall("notif:0") is None
    recalled = first.ledger.recall("notif:11")
    assert isinstance(recalled, Done)
    assert recalled.event_id == "evt_11"


class TestWithoutRedis:
    """Redis is away: nothing is lost, and nothing is sent twice unflagged."""

    def test_a_first_delivery_is_sent_unmarked(self, first: Worker) -> None:
        assert first.admission.without_redis(hand_for()) == Send(unmarked=True)

    @pytest.mark.parametrize("redelivered", [True, False])
    def test_at_most_once_waits(self, first: Worker, redelivered: bool) -> None:
        hand = hand_for(delivery=DeliveryPolicy.AT_MOST_ONCE, redelivered=redelivered)
        for _ in range(3):
            assert isinstance(first.admission.without_redis(hand), Wait)
            first.clock.advance(PATIENCE_SECONDS)

    def test_a_redelivery_waits_a_minute_and_is_then_flagged(self, first: Worker) -> None:
        hand = hand_for(redelivered=True)
        assert isinstance(first.admission.without_redis(hand), Wait)
        first.clock.advance(PATIENCE_SECONDS - 1)
        assert isinstance(first.admission.without_redis(hand), Wait)
        first.clock.advance(1)
        assert first.admission.without_redis(hand) == Send(possible_duplicate=True, unmarked=True)

    def test_an_expired_first_delivery_expires(self, first: Worker) -> None:
        settled = first.admission.without_redis(hand_for(expires_at=past()))
        assert isinstance(settled, Settle)
        assert settled.done.outcome is Outcome.EXPIRED

    def test_an_expired_redelivery_may_have_been_sent(self, first: Worker) -> None:
        hand = hand_for(redelivered=True, expires_at=past())
        assert isinstance(first.admission.without_redis(hand), Wait)
        first.clock.advance(PATIENCE_SECONDS)
        settled = first.admission.without_redis(hand)
        assert isinstance(settled, Settle)
        assert settled.done.reason is Reason.OUTCOME_UNKNOWN
