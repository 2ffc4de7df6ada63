"""Calendar months in UTC: what a monthly quota is counted by."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Month:
    """From `start` (inside) to `end` (outside)."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, at: datetime) -> "Month":
        """The month that `at` is in."""
        start = datetime(at.year, at.month, 1, tzinfo=UTC)
        next_year, next_month = divmod(at.month, 12)
        return cls(start, datetime(at.year + next_year, next_month + 1, 1, tzinfo=UTC))

    @property
    def name(self) -> str:
        """`2026-11`."""
        return f"{self.start.year}-{self.start.month:02}"

    @property
    def seconds(self) -> int:
        """Its length."""
        return int((self.end - self.start).total_seconds())

    def left(self, at: datetime) -> float:
        """Seconds from `at` to its end."""
        return (self.end - at).total_seconds()
