"""Lanes."""

import pytest

from carillon.contracts.lanes import Lane, lane_for


@pytest.mark.parametrize(
    ("priority", "lane"),
    [
        (1, Lane.BULK),
        (3, Lane.BULK),
        (4, Lane.NORMAL),
        (7, Lane.NORMAL),
        (8, Lane.HIGH),
        (10, Lane.HIGH),
    ],
)
def test_priority_chooses_the_lane(priority: int, lane: Lane) -> None:
    assert lane_for(priority=priority, category="", template_code="welcome") is lane


@pytest.mark.parametrize(
    ("category", "code"), [("otp", "x"), ("security", "x"), ("", "login_OTP_sms")]
)
def test_what_is_urgent_by_nature_goes_high_even_in_bulk(category: str, code: str) -> None:
    lane = lane_for(priority=1, category=category, template_code=code, bulk=True)
    assert lane is Lane.HIGH


def test_a_bulk_request_goes_to_the_bulk_lane_whatever_its_priority() -> None:
    assert lane_for(priority=9, category="", template_code="news", bulk=True) is Lane.BULK
