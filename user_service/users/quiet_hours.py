"""Quiet hours: windows by weekday in the user's own time zone.

    {"friday": [{"start": "22:00", "end": "07:00"}], "sunday": [{"start": "00:00", "end": "24:00"}]}

A window belongs to the weekday on which it starts. One whose `end` is not after its `start` ends
on the following day: Friday's above lasts until Saturday at seven. `24:00` is the end of the day,
so a whole day is 00:00 to 24:00. Times are read from the clock on the user's wall: on the night of
a change to or from summer time a window still starts and ends at these times and lasts an hour
more or less. A user without a time zone is in UTC. What falls within a window is deferred to its
end, unless its category is essential.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TypedDict

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WINDOWS_MOST = 4

_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)
_MIDNIGHT = "24:00"


class Window(TypedDict):
    """`start` is inside, `end` is not."""

    start: str
    end: str


Hours = dict[str, list[Window]]


class InvalidQuietHours(ValueError):
    """A window that means nothing; the text says where and why and is meant for the client."""


def check_windows(weekday: str, windows: Sequence[Window]) -> None:
    """Raises InvalidQuietHours where one of a day's windows is malformed or there are too many."""
    if len(windows) > WINDOWS_MOST:
        raise InvalidQuietHours(f"{weekday}: {WINDOWS_MOST} windows a day at most.")
    for window in windows:
        if not _TIME.fullmatch(window["start"]):
            raise InvalidQuietHours(f"{weekday}: start is a time from 00:00 to 23:59.")
        if window["end"] != _MIDNIGHT and not _TIME.fullmatch(window["end"]):
            raise InvalidQuietHours(f"{weekday}: end is a time from 00:00 to 24:00.")
        if window["start"] == window["end"]:
            raise InvalidQuietHours(
                f"{weekday}: start and end are the same; a whole day is 00:00 to 24:00."
            )


def merge_quiet_hours(said: Hours, change: Mapping[str, Sequence[Window] | None] | None) -> Hours:
    """`said` after `change`: a named day is replaced (none or empty: no quiet hours on it).

    None for the whole removes all.
    """
    if change is None:
        return {}
    merged: dict[str, Sequence[Window] | None] = {**said, **change}
    return {day: list(windows) for day in WEEKDAYS if (windows := merged.get(day))}
