"""The limit within one process, and its headers; no server needed."""

import pytest

from gateway.admission.limits import LimitState, ProcessLimits, limit_headers


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_whole_minute_may_come_at_once_and_no_more(clock: Clock) -> None:
    limits = ProcessLimits(clock=clock)
    states = [limits.take("org", "minute", 60, 60) for _ in range(61)]
    assert [state.allowed for state in states] == [True] * 60 + [False]
    assert [state.remaining for state in states[:3]] == [59, 58, 57]
    assert states[59].remaining == 0
    assert states[60].wait == pytest.approx(1.0)


def test_what_waited_long_enough_is_allowed(clock: Clock) -> None:
    limits = ProcessLimits(clock=clock)
    for _ in range(10):
        limits.take("jane", "recipient", 10, 60)
    refused = limits.take("jane", "recipient", 10, 60)
    clock.now += refused.wait - 0.01
    assert not limits.take("jane", "recipient", 10, 60).allowed
    clock.now += 0.02
    assert limits.take("jane", "recipient", 10, 60).allowed
    assert not limits.take("jane", "recipient", 10, 60).allowed


def test_what_is_given_back_may_be_taken_again(clock: Clock) -> None:
    limits = ProcessLimits(clock=clock)
    for _ in range(3):
        assert limits.take("jane", "recipient", 1, 60).allowed
        limits.give_back("jane", 1, 60)
    limits.give_back("nobody", 1, 60)


def test_one_does_not_use_up_anothers(clock: Clock) -> None:
    limits = ProcessLimits(clock=clock)
    assert limits.take("a", "minute", 1, 60).allowed
    assert limits.take("b", "minute", 1, 60).allowed
    assert not limits.take("a", "minute", 1, 60).allowed


def test_memory_is_bounded_and_forgets_the_least_used(clock: Clock) -> None:
    limits = ProcessLimits(capacity=2, clock=clock)
    for key in ("a", "b", "a", "c"):
        limits.take(key, "minute", 2, 60)
    assert not limits.take("a", "minute", 2, 60).allowed
    assert limits.take("b", "minute", 2, 60).remaining == 1


def test_the_headers_are_those_of_the_draft() -> None:
    minute = LimitState("minute", 60, 60, True, 50, 9.2, 0.0)
    month = LimitState("month", 1000, 2_592_000, True, 7, 100.0, 0.0)
    assert limit_headers([minute, month]) == {
        "RateLimit-Policy": '"minute";q=60;w=60, "month";q=1000;w=2592000',
        "RateLimit": '"minute";r=50;t=10, "month";r=7;t=100',
    }
    assert limit_headers([]) == {}
