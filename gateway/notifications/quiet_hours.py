"""When a user's quiet hours end: windows by weekday, read from the clock on the user's wall.

    {"friday": [{"start": "22:00", "end": "07:00"}], "sunday": [{"start": "00:00", "end": "24:00"}]}

A window belongs to the weekday on which it starts; one whose `end` is not after its `start` ends
on the following day. On the night of a change to or from summer time a window keeps its times and
lasts an hour less or more: a time that comes twice starts a window when it first comes and ends
one when it comes again, and a time that is skipped comes when the clock jumps over it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from carillon.rendering.audience import find_clock

# As `date.weekday` counts.
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = timedelta(days=1)
# Windows repeat after a week: who is still not to be disturbed then never is.
_LONGEST = timedelta(days=8)

Hours = Mapping[str, Sequence[Mapping[str, str]]]


def quiet_until(hours: Hours, timezone: str, at: datetime) -> datetime | None:
    """The end (UTC) of the quiet hours that `at` is in, windows that touch taken together.

    `at` itself where it is in none; None where they never end. A zone that this machine does not
    know is UTC.
    """
    zone = find_clock(timezone) or UTC
    end = at.astimezone(UTC)
    while end - at <= _LONGEST:
        later = max(_ends_around(hours, zone, end), default=None)
        if later is None:
            return end
        end = later
    return None


def _ends_around(hours: Hours, zone: tzinfo, at: datetime) -> Iterator[datetime]:
    """The ends of the windows that `at` is in."""
    today = at.astimezone(zone).date()
    # The clock may also be turned back from tomorrow into today.
    for day in (today - _DAY, today, today + _DAY):
        for window in hours.get(_WEEKDAYS[day.weekday()], ()):
            start, end = window["start"], window["end"]
            last = day if end > start else day + _DAY
            if _instant(day, start, zone, last=False) <= at:
                until = _instant(last, end, zone, last=True)
                if at < until:
                    yield until


def _instant(day: date, clock: str, zone: tzinfo, *, last: bool) -> datetime:
    """When the clock on the wall shows `clock` on `day`: the first or the last time that it does.

    Where it is skipped: when the clock jumps.
    """
    if clock == "24:00":
        day, clock = day + _DAY, "00:00"
    wall = datetime.combine(day, time.fromisoformat(clock))
    before, after = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if before > after:
        # No such time: read with the offsets from before and after the jump, it is late and early.
        return _jump(after, before, zone)
    return after if last else before


def _jump(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """The second between the two in which the zone's offset changes."""
    offset = low.astimezone(zone).utcoffset()
    seconds = int((high - low).total_seconds())
    unchanged, changed = 0, seconds
    while changed - unchanged > 1:
        middle = (unchanged + changed) // 2
        if (low + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            unchanged = middle
        else:
            changed = middle
    return low + timedelta(seconds=changed)
