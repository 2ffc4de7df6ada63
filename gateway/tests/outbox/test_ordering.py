"""The outbox's order: lanes first."""

import pytest

from carillon.contracts.lanes import PRIORITY_MAX, PRIORITY_MIN, Lane
from gateway.outbox.ordering import lane_of, outbox_priority

PRIORITIES = range(PRIORITY_MIN, PRIORITY_MAX + 1)


@pytest.mark.parametrize("lane", Lane)
@pytest.mark.parametrize("priority", PRIORITIES)
def test_the_lane_can_be_read_from_the_priority(lane: Lane, priority: int) -> None:
    assert lane_of(outbox_priority(lane, priority)) is lane


def test_a_password_of_low_priority_comes_before_everything_of_a_normal_lane() -> None:
    assert outbox_priority(Lane.HIGH, 1) > max(outbox_priority(Lane.NORMAL, p) for p in PRIORITIES)


def test_bulk_of_high_priority_comes_after_everything_of_a_normal_lane() -> None:
    assert outbox_priority(Lane.BULK, 10) < min(outbox_priority(Lane.NORMAL, p) for p in PRIORITIES)


def test_within_a_lane_the_priority_counts() -> None:
    assert outbox_priority(Lane.NORMAL, 6) > outbox_priority(Lane.NORMAL, 5)
