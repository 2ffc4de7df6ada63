"""Lanes: which of a channel's three queues a notification waits in."""

from enum import StrEnum

PRIORITY_MIN = 1
PRIORITY_MAX = 10
PRIORITY_DEFAULT = 5

HIGH_FROM = 8
BULK_UP_TO = 3
URGENT_CATEGORIES = frozenset({"otp", "security"})


class Lane(StrEnum):
    """A lane has its own queue, AMQP channel, prefetch and threads."""

    HIGH = "high"
    NORMAL = "normal"
    BULK = "bulk"


def lane_for(*, priority: int, category: str, template_code: str, bulk: bool = False) -> Lane:
    """The lane of a notification; what is urgent by nature stays so inside a bulk request."""
    if category in URGENT_CATEGORIES or "otp" in template_code.lower():
        return Lane.HIGH
    if bulk or priority <= BULK_UP_TO:
        return Lane.BULK
    return Lane.HIGH if priority >= HIGH_FROM else Lane.NORMAL
