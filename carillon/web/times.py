"""Times that clients name, as every part of the platform can hold and read them."""

from datetime import UTC, datetime

EXPECTED = "Expected a time between the years 2 and 9998, in UTC."


class UnusableTime(ValueError):
    """A time that some server, driver or time zone cannot hold."""


def in_utc(time: datetime) -> datetime:
    """The same instant in UTC. Raises UnusableTime.

    PostgreSQL refuses offsets of 16 hours and more, which ISO 8601 allows; and it stores a time
    after the year 9999, whatever the offset it was written with, that no driver of ours can read
    again. A year is left at both ends for the time zone of a session.
    """
    try:
        moved = time.astimezone(UTC)
    except OverflowError:
        raise UnusableTime from None
    if not 1 < moved.year < 9999:
        raise UnusableTime
    return moved
