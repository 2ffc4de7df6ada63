"""What the API shows of the rollups."""

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType


class DeliveryTimeShape(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from the 202, or from the time it was scheduled for, to `delivered`."""

    count: int
    median_seconds: float
    p95_seconds: float


class CountsShape(msgspec.Struct, frozen=True, kw_only=True):
    """What became of some notifications. The rate is null where none has ended yet."""

    total: int
    by_status: dict[str, int]
    delivery_rate: float | None
    time_to_delivery: DeliveryTimeShape | None


class GroupShape(CountsShape, frozen=True, kw_only=True):
    """The counts of one channel or template; an empty `template_code` is inline content."""

    channel: str | UnsetType = UNSET
    template_code: str | UnsetType = UNSET


class PointShape(GroupShape, frozen=True, kw_only=True):
    """The counts of one bucket of time."""

    start: datetime


class AnalyticsShape(msgspec.Struct, frozen=True, kw_only=True):
    """All of an answer; `from` and `to` are what was counted, in whole buckets."""

    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    bucket: str
    mode: str
    totals: CountsShape
    groups: list[GroupShape]
    series: list[PointShape]
