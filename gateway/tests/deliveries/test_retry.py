"""The retry schedule."""

import pytest

from gateway.deliveries.retry import RetryPolicy
from gateway.tests.policies import POLICIES

POLICY = POLICIES["email"]


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 5), (2, 30), (3, 120), (4, 600), (5, 3600), (6, 3600), (60, 3600)],
)
def test_the_schedule(attempts: int, seconds: float) -> None:
    assert POLICY.delay_after(attempts, None, 0.5) == pytest.approx(seconds)


def test_the_jitter_spreads_both_ways() -> None:
    assert POLICY.delay_after(2, None, 0.0) == pytest.approx(27)
    assert POLICY.delay_after(2, None, 1.0) == pytest.approx(33)


@pytest.mark.parametrize("dice", [0.0, 0.5, 1.0])
def test_a_provider_is_never_asked_earlier_than_it_wants(dice: float) -> None:
    assert 60 <= POLICY.delay_after(1, 60, dice) <= 66


def test_a_provider_that_is_content_with_less_does_not_hurry_us() -> None:
    assert POLICY.delay_after(2, 1, 0.5) == pytest.approx(30)


@pytest.mark.parametrize("nonsense", [0.0, -5.0])
def test_a_senseless_retry_after_is_none(nonsense: float) -> None:
    assert POLICY.delay_after(1, nonsense, 0.5) == pytest.approx(5)


def test_a_provider_cannot_put_us_off_for_ever() -> None:
    policy = RetryPolicy(max_attempts=5, delays=(5.0,), retry_after_most=100.0)
    assert policy.delay_after(1, 1e12, 0.0) == 100


def test_five_attempts_and_no_more() -> None:
    assert [attempts for attempts in range(1, 8) if POLICY.allows_after(attempts)] == [1, 2, 3, 4]
