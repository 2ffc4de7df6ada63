"""When several jobs are taken at once."""

import pytest

from carillon.worker.pace import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    LOOK_EVERY,
    MOST_AT_ONCE,
    Pace,
)
from carillon.worker.tests.doubles import Clock


class Queues:
    most = 1


@pytest.fixture
def queues() -> Queues:
    return Queues()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def hear(pace: Pace, *seconds: float) -> None:
    for number in range(LOOK_EVERY):
        pace.heard(seconds[number % len(seconds)])


def test_a_quick_provider_is_given_several(queues: Queues, clock: Clock) -> None:
    pace = Pace(queues, hopeful=False, clock=clock)
    hear(pace, 0.004, 0.2)
    assert queues.most == MOST_AT_ONCE
    hear(pace, 0.0008, 0.02)
    assert queues.most == MOST_AT_ONCE


def test_a_slow_one_never_is(queues: Queues, clock: Clock) -> None:
    pace = Pace(queues, hopeful=False, clock=clock)
    for _ in range(5):
        hear(pace, 0.06)
        clock.advance(100)
    assert queues.most == 1


def test_what_looked_quick_and_is_not_is_tried_ever_less_often(
    queues: Queues, clock: Clock
) -> None:
    pace = Pace(queues, hopeful=True, clock=clock)
    pauses = []
    for _ in range(10):
        assert queues.most == MOST_AT_ONCE
        hear(pace, 0.003)
        began = clock.now
        while queues.most == 1:
            clock.advance(0.5)
            hear(pace, 0.003)
        pauses.append(clock.now - began)
    assert pauses[:3] == [FIRST_PAUSE_SECONDS, 2.0, 4.0]
    assert pauses[-1] == LONGEST_PAUSE_SECONDS


def test_two_slow_calls_end_it_at_once(queues: Queues, clock: Clock) -> None:
    pace = Pace(queues, hopeful=True, clock=clock)
    pace.heard(10.0)
    assert queues.most == MOST_AT_ONCE
    pace.heard(10.0)
    assert queues.most == 1


def test_jobs_that_cannot_go_together_end_it(queues: Queues, clock: Clock) -> None:
    pace = Pace(queues, hopeful=True, clock=clock)
    pace.mixed()
    assert queues.most == 1
    hear(pace, 0.0001)
    assert queues.most == 1
    clock.advance(FIRST_PAUSE_SECONDS)
    hear(pace, 0.0001)
    assert queues.most == MOST_AT_ONCE
