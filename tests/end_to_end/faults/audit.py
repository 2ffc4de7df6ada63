"""The last row: nothing came late, and accepted is the sum of the ends, by the operator's tool."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.end_to_end.faults import evidence
from tests.end_to_end.faults.arena import Arena
from tests.end_to_end.faults.provider import NAMELESS
from tests.end_to_end.faults.verdict import Verdict, count

COMMAND = ("audit_delivery", "--settled")
QUIET_SECONDS = 60.0


@dataclass(frozen=True)
class Audit:
    """What all scenarios together left behind."""

    accepted: int
    ended: int
    sent: int
    unexpected: int
    problems: tuple[str, ...]


def audit(arena: Arena, verdicts: Sequence[Verdict]) -> Audit:
    """Count everything once more, when no queue holds anything."""
    problems = []
    if not arena.wait_until(lambda: evidence.unfinished(arena) == 0, QUIET_SECONDS):
        problems.append(f"{evidence.unfinished(arena)} messages are still in a queue")
    ledger = arena.provider.accepted()
    promised = set().union(*(verdict.promised for verdict in verdicts))
    for verdict in verdicts:
        again = count(verdict.told, evidence.records(arena, verdict.code), ledger)
        if again != verdict.counts:
            problems.append(f"{verdict.scenario.name}: {verdict.counts} became {again}")
    unexpected = set(ledger) - promised
    if unexpected:
        problems.append(f"{len(unexpected)} were sent that nobody was promised")
    if NAMELESS in ledger:
        problems.append("a mail had no notification's id")
    ran = arena.manage(*COMMAND)
    if ran.returncode:
        problems.append(f"audit_delivery: {ran.stderr.strip()[-300:]}")
    accepted, ended = _sums(ran.stdout)
    if accepted != len(promised):
        problems.append(f"{accepted} in the database, {len(promised)} promised")
    return Audit(accepted, ended, len(promised), len(unexpected), tuple(problems))


def _sums(printed: str) -> tuple[int, int]:
    """The columns `total` and `ended` of all organizations."""
    rows = [line.split() for line in printed.splitlines() if line.startswith("org_")]
    return sum(int(row[1]) for row in rows), sum(int(row[2]) for row in rows)
