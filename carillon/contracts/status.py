"""The notification's state machine, as a table of allowed moves.

Opened and clicked are engagement and never appear here.
"""

from enum import StrEnum


class Status(StrEnum):
    """Where a notification is in its life."""

    SCHEDULED = "scheduled"
    ACCEPTED = "accepted"
    QUEUED = "queued"
    PROCESSING = "processing"
    RETRYING = "retrying"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    BOUNCED = "bounced"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


ENDS: frozenset[Status] = frozenset(
    {
        Status.DELIVERED,
        Status.FAILED,
        Status.BOUNCED,
        Status.REJECTED,
        Status.CANCELLED,
        Status.EXPIRED,
    }
)

_OUTCOMES = frozenset(
    {
        Status.RETRYING,
        Status.SENT,
        Status.DELIVERED,
        Status.FAILED,
        Status.BOUNCED,
        Status.REJECTED,
        Status.EXPIRED,
    }
)

# An outcome may overtake the relay's own `queued`: the worker can answer before the relay's
# transaction commits. An end is final: a bounce that comes after `delivered` is recorded and
# feeds the suppressions, but does not rewrite history. No event leads back from `sent`: where its
# receipt does not come, gateway/deliveries/services/missing_receipts.py sends it elsewhere, once.
MOVES: dict[Status, frozenset[Status]] = {
    Status.SCHEDULED: _OUTCOMES | {Status.ACCEPTED, Status.QUEUED, Status.CANCELLED},
    Status.ACCEPTED: _OUTCOMES | {Status.QUEUED, Status.PROCESSING, Status.CANCELLED},
    Status.QUEUED: _OUTCOMES | {Status.PROCESSING},
    Status.PROCESSING: _OUTCOMES,
    Status.RETRYING: _OUTCOMES | {Status.QUEUED, Status.PROCESSING, Status.CANCELLED},
    Status.SENT: frozenset({Status.DELIVERED, Status.FAILED, Status.BOUNCED, Status.REJECTED}),
    Status.DELIVERED: frozenset(),
    Status.FAILED: frozenset(),
    Status.BOUNCED: frozenset(),
    Status.REJECTED: frozenset(),
    Status.CANCELLED: frozenset(),
    Status.EXPIRED: frozenset(),
}


def may_move(current: Status, new: Status) -> bool:
    """True where a notification in `current` may go to `new`; staying put is not a move."""
    return new in MOVES[current]


def origins_of(new: Status) -> tuple[Status, ...]:
    """The statuses from which `new` may be reached, for the guard of an UPDATE."""
    return tuple(current for current, targets in MOVES.items() if new in targets)
