"""Calendar months."""

from datetime import UTC, datetime

import pytest

from gateway.admission.months import Month


@pytest.mark.parametrize(
    ("at", "name", "days"),
    [
        (datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC), "2026-01", 31),
        (datetime(2026, 12, 1, tzinfo=UTC), "2026-12", 31),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), "2028-02", 29),
    ],
)
def test_a_month_is_the_calendars(at: datetime, name: str, days: int) -> None:
    month = Month.of(at)
    assert (month.name, month.seconds) == (name, days * 86_400)
    assert month.start <= at < month.end
    assert 0 < month.left(at) <= month.seconds
    assert Month.of(month.end).start == month.end
