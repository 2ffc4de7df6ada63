"""The filters that write dates, times, numbers and money as the reader's language does."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, tzinfo
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Any, Final, Literal, TypeAlias, cast

from babel import dates, numbers

from carillon.rendering.audience import Audience, audience, find_clock
from carillon.rendering.filters import FilterFailed

DECIMALS_MOST: Final = 10

_Style: TypeAlias = Literal["short", "medium", "long", "full"]

# CLDR's skeletons: the language decides on the order and on what stands between the parts.
_SKELETONS: Final = {"day": "MMMMd", "month": "yMMMM", "year": "y"}
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?")
# As people round amounts. The precision holds what _NUMBER takes.
_ROUNDING: Final = Context(prec=64, rounding=ROUND_HALF_UP)
_ISO_LONGEST: Final = 40
_SPACES: Final = str.maketrans({"\u00a0": " ", "\u202f": " "})


class LocalizedFilters:
    """Written for `audience`, which changes from render to render.

    `turn` is told of each value, since writing one takes tens of microseconds; it may raise.
    """

    def __init__(self, *, turn: Callable[[], None]) -> None:
        self._turn = turn
        self._audience: Audience = audience("", "")
        self._html = False

    def start(self, reader: Audience, *, html: bool) -> None:
        """Begin a render. Spaces that do not break stay in HTML alone: in an SMS, one of them
        would halve the room."""
        self._audience = reader
        self._html = html

    def by_name(self) -> dict[str, Callable[..., Any]]:
        """As the engine's source names them."""
        return {
            "_date": self.date,
            "_time": self.time,
            "_datetime": self.datetime,
            "_number": self.number,
            "_percent": self.percent,
            "_currency": self.currency,
        }

    def date(self, value: Any, at: int, style: str = "medium", *, timezone: Any = None) -> str:
        """The day of a date or of a moment, on the reader's clock."""
        if value == "":
            return ""
        found = _day(value, at, self._clock(timezone, at))
        locale = self._audience.locale
        if style == "iso":
            return found.isoformat()
        if style == "weekday":
            return self._made(dates.format_date(found, "EEEE", locale))
        if style in _SKELETONS:
            text = dates.format_skeleton(_SKELETONS[style], found, locale=locale)
            return self._made(text)
        return self._made(dates.format_date(found, _style(style), locale))

    def time(self, value: Any, at: int, style: str = "short", *, timezone: Any = None) -> str:
        """The time of day of a moment; `09:30` is told as it is."""
        if value == "":
            return ""
        clock = self._clock(timezone, at)
        found = _time_of_day(value)
        if found is None:
            moment = _moment(value, at).astimezone(clock)
        else:
            moment = datetime.combine(datetime.now(clock).date(), found, clock)
        if style == "iso":
            return moment.time().isoformat("minutes")
        locale = self._audience.locale
        return self._made(dates.format_time(moment, _style(style), clock, locale))

    def datetime(self, value: Any, at: int, style: str = "medium", *, timezone: Any = None) -> str:
        """Both, of a moment."""
        if value == "":
            return ""
        moment = _moment(value, at).astimezone(self._clock(timezone, at))
        if style == "iso":
            return moment.isoformat(timespec="seconds")
        locale = self._audience.locale
        return self._made(dates.format_datetime(moment, _style(style), locale=locale))

    def number(self, value: Any, at: int, decimals: Any = None) -> str:
        """Grouped, with as many decimals as there are; three at most, or so many as are asked."""
        if value == "":
            return ""
        locale = self._audience.locale
        pattern = locale.decimal_formats[None].pattern
        if decimals is not None:
            pattern = _with_decimals(pattern, decimals, at)
        found = _decimal(value, at)
        with localcontext(_ROUNDING):
            return self._made(numbers.format_decimal(found, pattern, locale))

    def percent(self, value: Any, at: int, decimals: Any = 0) -> str:
        """0.25 is 25%."""
        if value == "":
            return ""
        locale = self._audience.locale
        pattern = _with_decimals(locale.percent_formats[None].pattern, decimals, at)
        found = _decimal(value, at)
        with localcontext(_ROUNDING):
            return self._made(numbers.format_percent(found, pattern, locale))

    def currency(self, value: Any, at: int, code: Any) -> str:
        """An amount in the unit of an ISO 4217 code, with that currency's decimals."""
        if value == "":
            return ""
        if not isinstance(code, str) or not numbers.is_currency(code):
            message = "currency takes a code such as 'EUR' (ISO 4217)."
            raise FilterFailed(at, message)
        found, locale = _decimal(value, at), self._audience.locale
        with localcontext(_ROUNDING):
            return self._made(numbers.format_currency(found, code, locale=locale))

    def _clock(self, timezone: Any, at: int) -> tzinfo:
        self._turn()
        if timezone is None or timezone == "":
            return self._audience.clock
        found = find_clock(timezone) if isinstance(timezone, str) else None
        if found is None:
            raise FilterFailed(at, "There is no such time zone; write one as 'Europe/London'.")
        return found

    def _made(self, text: str) -> str:
        self._turn()
        return text if self._html else text.translate(_SPACES)


def _style(style: str) -> "_Style":
    # Checked when the template was saved.
    return cast("_Style", style)


def _iso(value: Any) -> str | None:
    if isinstance(value, str) and len(value) <= _ISO_LONGEST:
        return value.strip()
    return None


def _day(value: Any, at: int, clock: tzinfo) -> date:
    text = _iso(value)
    if text is not None and len(text) == len("2026-01-31"):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    return _moment(value, at).astimezone(clock).date()


def _time_of_day(value: Any) -> time | None:
    text = _iso(value)
    if text is None or not re.fullmatch(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?", text):
        return None
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None


def _moment(value: Any, at: int) -> datetime:
    """ISO 8601 with an offset, or seconds since 1970."""
    text = _iso(value)
    try:
        if text is not None:
            found = datetime.fromisoformat(text)
        elif type(value) is int or type(value) is float:
            found = datetime.fromtimestamp(value, UTC)
        else:
            raise ValueError
        # The first and the last day of the calendar have no other time zones.
        if not 1 < found.year < 9_999:
            raise ValueError
    except (ValueError, OverflowError, OSError):
        message = "This is no time: expected ISO 8601, such as 2026-01-31T09:30:00Z."
        raise FilterFailed(at, message) from None
    if found.tzinfo is None:
        message = "This time says no offset: expected one such as 2026-01-31T09:30:00+01:00."
        raise FilterFailed(at, message)
    return found


def _decimal(value: Any, at: int) -> Decimal:
    """Also of a text: amounts of money often travel as texts, so as to stay exact."""
    if type(value) is int or type(value) is float:
        found = Decimal(str(value))
        if found.is_finite() and abs(found) < Decimal(10) ** 20:
            return found
    elif isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    raise FilterFailed(at, "This is no number that can be written out.")


def _with_decimals(pattern: str, count: Any, at: int) -> str:
    """A CLDR pattern, its grouping and signs kept."""
    if type(count) is not int or not 0 <= count <= DECIMALS_MOST:
        raise FilterFailed(at, f"The number of decimals is 0 to {DECIMALS_MOST}.")
    fraction = f".{'0' * count}" if count else ""
    return re.sub(r"0(\.[0#]+)?", f"0{fraction}", pattern)
