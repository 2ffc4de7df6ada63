"""What a scenario came to, counted from the provider's ledger and the database."""

import time
from dataclasses import dataclass

from tests.end_to_end.faults.arena import Arena
from tests.end_to_end.faults.load import Load
from tests.end_to_end.faults.scenarios import Scale, Scenario

SETTLE_SECONDS = 240.0


@dataclass(frozen=True)
class Verdict:
    """`unflagged` are duplicates that no attempt was marked for; `open` never reached an end."""

    scenario: Scenario
    sent: int
    lost: int
    duplicated: int
    flagged: int
    unflagged: int
    undelivered: int
    false_promises: int
    bound: int
    seconds: float

    @property
    def kept(self) -> bool:
        """True where the promise was kept."""
        return (
            self.lost == self.unflagged == self.undelivered == self.false_promises == 0
            and self.duplicated <= self.bound
        )


def run(arena: Arena, scenario: Scenario, scale: Scale) -> Verdict:
    """Send, break, wait until everything has ended, and count."""
    begun = time.monotonic()
    code = arena.new_template(f"{scenario.name}-{time.time_ns()}")
    load = Load(arena.tenant, arena.user_id, code, count=scale.count, rate=scale.rate)
    load.start()
    scenario.inject(arena, load, scale)
    load.finish()
    statuses = arena.settled(code, scale.count, SETTLE_SECONDS)
    accepted = arena.provider.accepted()
    promised = set(load.ids.values())
    duplicated = {one for one in promised if accepted[one] > 1}
    flagged = arena.flagged(code)
    return Verdict(
        scenario=scenario,
        sent=len(promised),
        lost=sum(1 for one in promised if accepted[one] == 0),
        duplicated=sum(accepted[one] - 1 for one in duplicated),
        flagged=len(flagged),
        unflagged=len(duplicated - flagged),
        undelivered=sum(count for status, count in statuses.items() if status != "delivered"),
        false_promises=abs(sum(statuses.values()) - len(promised)),
        bound=scenario.duplicates(scale),
        seconds=time.monotonic() - begun,
    )
