"""The settings of retention, read once into a frozen object."""

from dataclasses import dataclass, replace
from datetime import timedelta

from carillon.settings import Environment


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """What has ended is cleared `days` later; looked for every `interval` seconds, in batches."""

    days: int
    interval: float
    batch: int

    @classmethod
    def read(cls, env: Environment) -> "RetentionSettings":
        """Raises SettingsError."""
        return cls(
            days=env.integer("RETENTION_DAYS", 30, least=1, most=3_650),
            interval=env.number("RETENTION_INTERVAL", 300.0, least=1, most=86_400),
            batch=env.integer("RETENTION_BATCH", 1_000, least=1, most=10_000),
        )

    def of_days(self, days: int | None) -> "RetentionSettings":
        """With another age, where one is given."""
        return self if days is None else replace(self, days=days)

    @property
    def age(self) -> timedelta:
        """How long ago it ended."""
        return timedelta(days=self.days)
