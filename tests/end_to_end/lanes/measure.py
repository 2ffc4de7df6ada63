"""How long urgent notifications take from the relay to the provider: idle, and in a flood."""

import time
from dataclasses import dataclass

from carillon.contracts import ids
from carillon.contracts.status import Status
from tests.end_to_end.faults.arena import Arena
from tests.end_to_end.lanes.flood import accept, query

URGENT = 9
# Seconds.
DRAIN_TIMEOUT = 600.0
SETTLE_TIMEOUT = 60.0

_TIMES = "SELECT id, created_at, queued_at FROM notifications_notification WHERE id = ANY(%s)"
_OPEN = "SELECT count(*) FROM notifications_notification WHERE status <> %s"


@dataclass(frozen=True)
class Waits:
    """Seconds until the provider had each urgent notification, sorted.

    `queued` counts from the relay's publish, `accepted` from the gateway's 202.
    """

    queued: list[float]
    accepted: list[float]


def quantile(waits: list[float], share: float) -> float:
    """The wait that `share` of them did not exceed."""
    return waits[min(len(waits) - 1, int(len(waits) * share))]


def measure(arena: Arena, *, samples: int, rate: float) -> Waits:
    """Send urgent notifications, `rate` a second, and see when the provider has each."""
    latest = arena.provider.latest
    sent: list[str] = []
    begun = time.monotonic()
    for number in range(samples):
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
        sent.append(accept(arena.tenant, "urgent@example.com", URGENT))
    assert arena.wait_until(lambda: all(one in latest for one in sent), SETTLE_TIMEOUT)
    # The relay writes queued_at with its commit, which the provider may overtake.
    arena.pause(1.0)
    rows = query(arena.tenant, _TIMES, [ids.parse_id(ids.NOTIFICATION, one) for one in sent])
    arrivals = [(latest[ids.format_id(ids.NOTIFICATION, row[0])], row[1], row[2]) for row in rows]
    return Waits(
        queued=sorted(at - queued.timestamp() for at, _, queued in arrivals if queued),
        accepted=sorted(at - created.timestamp() for at, created, _ in arrivals),
    )


def wait_delivered(arena: Arena) -> bool:
    """Whether everything was delivered in time."""

    def done() -> bool:
        ((many,),) = query(arena.tenant, _OPEN, Status.DELIVERED.value)
        return int(many) == 0

    return arena.wait_until(done, DRAIN_TIMEOUT)
