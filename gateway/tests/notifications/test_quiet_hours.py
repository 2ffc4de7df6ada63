"""When quiet hours end, on ordinary nights and on those when the clocks change."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.notifications.quiet_hours import Hours, quiet_until

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NIGHTS: Hours = {day: [{"start": "22:00", "end": "07:00"}] for day in DAYS}
LONDON, NEW_YORK = "Europe/London", "America/New_York"


def at(zone: str, text: str, fold: int = 0) -> datetime:
    wall = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    # Times that come twice compare unequal to whatever is of another zone (PEP 495).
    return wall.astimezone(UTC)


def window(day: str, start: str, end: str) -> Hours:
    return {day: [{"start": start, "end": end}]}


@pytest.mark.parametrize(
    ("asked", "end"),
    [
        ("2026-06-10T21:59:59", "2026-06-10T21:59:59"),
        ("2026-06-10T22:00", "2026-06-11T07:00"),
        ("2026-06-10T23:59", "2026-06-11T07:00"),
        ("2026-06-11T00:00", "2026-06-11T07:00"),
        ("2026-06-11T06:59:59.999999", "2026-06-11T07:00"),
        ("2026-06-11T07:00", "2026-06-11T07:00"),
        ("2026-06-11T12:00", "2026-06-11T12:00"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", LONDON, NEW_YORK, "Asia/Kathmandu", "Pacific/Apia"])
def test_a_window_over_midnight_begins_inside_and_ends_outside(
    zone: str, asked: str, end: str
) -> None:
    assert quiet_until(NIGHTS, zone, at(zone, asked)) == at(zone, end)


def test_who_named_no_zone_or_an_unknown_one_is_in_utc() -> None:
    for zone in ("", "Mars/Olympus", "../etc/passwd"):
        assert quiet_until(NIGHTS, zone, at("UTC", "2026-06-10T23:00")) == at(
            "UTC", "2026-06-11T07:00"
        )


def test_without_windows_it_is_never_quiet() -> None:
    now = at("UTC", "2026-06-10T23:00")
    assert quiet_until({}, LONDON, now) == now


def test_a_window_belongs_to_the_day_on_which_it_starts() -> None:
    hours = window("friday", "22:00", "07:00")
    # 2026-06-12 is a Friday.
    assert quiet_until(hours, "UTC", at("UTC", "2026-06-12T06:00")) == at("UTC", "2026-06-12T06:00")
    assert quiet_until(hours, "UTC", at("UTC", "2026-06-13T06:00")) == at("UTC", "2026-06-13T07:00")


def test_windows_that_touch_are_one() -> None:
    hours = {
        "friday": [{"start": "22:00", "end": "24:00"}],
        "saturday": [{"start": "00:00", "end": "24:00"}],
        "sunday": [{"start": "00:00", "end": "09:00"}, {"start": "08:00", "end": "10:30"}],
    }
    found = quiet_until(hours, NEW_YORK, at(NEW_YORK, "2026-06-12T23:00"))
    assert found == at(NEW_YORK, "2026-06-14T10:30")


def test_hours_that_never_end_have_no_end() -> None:
    always: Hours = {day: [{"start": "00:00", "end": "24:00"}] for day in DAYS}
    assert quiet_until(always, LONDON, at(LONDON, "2026-06-10T12:00")) is None
    overlapping: Hours = {day: [{"start": "12:00", "end": "12:00"}] for day in DAYS}
    assert quiet_until(overlapping, LONDON, at(LONDON, "2026-06-10T12:00")) is None
    all_but_a_minute = {**always, "tuesday": [{"start": "00:01", "end": "24:00"}]}
    found = quiet_until(all_but_a_minute, LONDON, at(LONDON, "2026-06-10T12:00"))
    assert found == at(LONDON, "2026-06-16T00:00")


def test_the_night_of_spring_is_an_hour_shorter() -> None:
    asked = at(LONDON, "2026-03-28T22:00")
    found = quiet_until(NIGHTS, LONDON, asked)
    assert found == at(LONDON, "2026-03-29T07:00")
    assert found - asked == timedelta(hours=8)


def test_the_night_of_autumn_is_an_hour_longer() -> None:
    asked = at(LONDON, "2026-10-24T22:00")
    found = quiet_until(NIGHTS, LONDON, asked)
    assert found == at(LONDON, "2026-10-25T07:00")
    assert found - asked == timedelta(hours=10)


def test_a_time_that_is_skipped_comes_when_the_clock_jumps() -> None:
    """In London 01:00 is followed by 02:00 on 2026-03-29."""
    jump = datetime(2026, 3, 29, 1, tzinfo=UTC)
    ends_inside = window("saturday", "23:00", "01:30")
    assert quiet_until(ends_inside, LONDON, jump - timedelta(seconds=1)) == jump
    assert quiet_until(ends_inside, LONDON, jump) == jump
    starts_inside = window("sunday", "01:30", "03:00")
    assert quiet_until(starts_inside, LONDON, jump - timedelta(seconds=1)) == jump - timedelta(
        seconds=1
    )
    assert quiet_until(starts_inside, LONDON, jump) == at(LONDON, "2026-03-29T03:00")
    all_inside = window("sunday", "01:10", "01:40")
    assert quiet_until(all_inside, LONDON, jump) == jump


def test_an_hour_that_comes_twice_is_quiet_both_times() -> None:
    """In London 02:00 is followed by 01:00 on 2026-10-25."""
    ends_twice = window("saturday", "23:00", "01:30")
    for fold in (0, 1):
        asked = at(LONDON, "2026-10-25T01:10", fold)
        assert quiet_until(ends_twice, LONDON, asked) == at(LONDON, "2026-10-25T01:30", 1)
    # No gap opens between the first half past one and the second.
    asked = at(LONDON, "2026-10-25T01:45", 0)
    assert quiet_until(ends_twice, LONDON, asked) == at(LONDON, "2026-10-25T01:30", 1)
    starts_twice = window("sunday", "01:30", "03:00")
    asked = at(LONDON, "2026-10-25T01:40", 0)
    assert quiet_until(starts_twice, LONDON, asked) == at(LONDON, "2026-10-25T03:00")


@pytest.mark.parametrize(
    ("zone", "night"),
    [
        (LONDON, date(2026, 3, 29)),
        (LONDON, date(2026, 10, 25)),
        (NEW_YORK, date(2026, 3, 8)),
        (NEW_YORK, date(2026, 11, 1)),
        # By half an hour; at midnight; from tomorrow back into today.
        ("Australia/Lord_Howe", date(2026, 4, 5)),
        ("Africa/Cairo", date(2026, 4, 24)),
        ("America/Havana", date(2026, 11, 1)),
        ("America/Sao_Paulo", date(2019, 2, 16)),
    ],
)
def test_it_is_quiet_as_the_clock_on_the_wall_shows(zone: str, night: date) -> None:
    """Against a model that looks at the wall once a minute."""
    chosen = random.Random(f"{zone} {night}")
    midnight = datetime(night.year, night.month, night.day, tzinfo=UTC)
    minutes = [midnight + timedelta(minutes=n) for n in range(-3 * 1440, 4 * 1440)]
    walls = [m.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for m in minutes]
    for _ in range(12):
        day = night + timedelta(days=chosen.choice((-1, 0)))
        start, end = (
            f"{chosen.randrange(24):02}:{chosen.choice((0, 15, 30, 59)):02}" for _ in range(2)
        )
        if start == end:
            continue
        hours = window(DAYS[day.weekday()], start, end)
        last_day = day if end > start else day + timedelta(days=1)
        opens = datetime.fromisoformat(f"{day}T{start}")
        closes = datetime.fromisoformat(f"{last_day}T{end}")
        first = next(n for n, wall in enumerate(walls) if wall >= opens)
        after = 1 + max(n for n, wall in enumerate(walls) if wall < closes)
        for n in {*range(first - 90, after + 90, 7), first - 1, first, after - 1, after}:
            expected = minutes[after] if first <= n < after else minutes[n]
            assert quiet_until(hours, zone, minutes[n]) == expected, (hours, minutes[n])
