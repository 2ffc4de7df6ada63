"""The query of a list: what may be asked, and all that is wrong with what was."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from rest_framework.request import Request

from carillon.web.errors import ValidationFailed
from carillon.web.times import EXPECTED, UnusableTime, in_utc

TEXT_LENGTH = 128
PAGING = ("page", "limit")

_FLAGS = {"true": True, "false": False}


class Query:
    """Reads parameters one by one and collects their mistakes; `check` raises them together.

    An unknown parameter is a mistake too: a filter that were ignored would show what was not
    asked for. An empty parameter is an absent one. `page` and `limit` are left to
    `carillon.web.paging`.
    """

    def __init__(self, request: Request, *names: str, paged: bool = True) -> None:
        self._query = request.query_params
        self._wrong: dict[str, str] = {}
        allowed = (*names, *PAGING) if paged else names
        for name in self._query:
            if name not in allowed:
                self._wrong[name] = f"Unknown parameter. Allowed: {', '.join(allowed)}."
            elif len(self._query.getlist(name)) > 1:
                self._wrong[name] = "Send it once."

    def text(self, name: str, most: int = TEXT_LENGTH) -> str:
        """Up to `most` characters that PostgreSQL can store."""
        value = self._value(name)
        if len(value) > most or "\x00" in value:
            return self.refuse(name, f"Expected up to {most} characters.")
        return value

    def choice(self, name: str, options: Collection[str]) -> str:
        """One of `options`."""
        value = self._value(name)
        if value and value not in options:
            return self.refuse(name, f"Expected one of {', '.join(options)}.")
        return value

    def flag(self, name: str) -> bool | None:
        """`true` or `false`; None where absent."""
        value = self.choice(name, tuple(_FLAGS))
        return _FLAGS[value] if value else None

    def time(self, name: str) -> datetime | None:
        """ISO 8601 with an offset, in UTC. A space stands for a plus that decoding ate."""
        value = self._value(name)
        if not value:
            return None
        try:
            time = msgspec.convert(value.replace(" ", "+"), datetime)
        except msgspec.ValidationError:
            time = None
        if time is None or time.tzinfo is None:
            self.refuse(
                name, "Expected an ISO 8601 time with an offset, such as 2026-01-31T09:00:00Z."
            )
            return None
        try:
            return in_utc(time)
        except UnusableTime:
            self.refuse(name, EXPECTED)
            return None

    def check(self) -> None:
        """Raises ValidationFailed, naming every parameter that is wrong."""
        if self._wrong:
            details: dict[str, Sequence[str]] = {
                name: [problem] for name, problem in self._wrong.items()
            }
            raise ValidationFailed(details=details)

    def _value(self, name: str) -> str:
        return "" if name in self._wrong else str(self._query.get(name, ""))

    def refuse(self, name: str, problem: str) -> str:
        """Remember what is wrong with a parameter; answers the empty text, for an absent one."""
        self._wrong[name] = problem
        return ""
