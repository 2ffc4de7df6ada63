"""Jobs in hand."""

from carillon.testing.providers import delivery_job
from carillon.worker.hands import Hands
from carillon.worker.tests.doubles import delivery_of, make_stale


def test_a_job_is_in_one_hand() -> None:
    hands, job = Hands(), delivery_job()
    first, second = delivery_of(), delivery_of(redelivered=True)
    hand = hands.grasp(job, first)
    assert hand is not None
    assert hands.grasp(job, second) is None
    assert len(hands) == 1
    assert hands.let_go(hand) == [first, second]
    assert len(hands) == 0


def test_a_hand_is_stale_when_every_delivery_is() -> None:
    hands, job = Hands(), delivery_job()
    first, second = delivery_of(), delivery_of()
    hand = hands.grasp(job, first)
    assert hand is not None
    hands.grasp(job, second)
    make_stale(first)
    assert not hand.stale
    make_stale(second)
    assert hand.stale
