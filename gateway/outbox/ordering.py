"""In which order the outbox empties: the lanes one after the other, then priority, then age."""

from carillon.contracts.lanes import BULK_UP_TO, HIGH_FROM, PRIORITY_MAX, PRIORITY_MIN, Lane

_BANDS = {
    Lane.HIGH: (HIGH_FROM, PRIORITY_MAX),
    Lane.NORMAL: (BULK_UP_TO + 1, HIGH_FROM - 1),
    Lane.BULK: (PRIORITY_MIN, BULK_UP_TO),
}


def outbox_priority(lane: Lane, priority: int) -> int:
    """The notification's priority, moved into its lane's band: high 8-10, normal 4-7, bulk 1-3.

    A one-time password is urgent whatever priority its request named, and the recipients of a
    bulk request wait behind single notifications.
    """
    least, most = _BANDS[lane]
    return min(max(priority, least), most)


def lane_of(outbox_priority: int) -> Lane:
    """The lane in whose band the priority of an outbox row lies."""
    if outbox_priority >= HIGH_FROM:
        return Lane.HIGH
    return Lane.BULK if outbox_priority <= BULK_UP_TO else Lane.NORMAL
