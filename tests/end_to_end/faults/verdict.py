"""What a scenario came to: clients, provider's ledger and database, held against each other."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from carillon.contracts.status import ENDS, Status
from carillon.errors import Reason
from tests.end_to_end.faults import evidence
from tests.end_to_end.faults.arena import Arena
from tests.end_to_end.faults.evidence import Record
from tests.end_to_end.faults.load import ACCEPTED, REPLAYED, Load
from tests.end_to_end.faults.scenario import Experiment, Scale, Scenario

SETTLE_SECONDS = 240.0
QUIET_SECONDS = 60.0
# A gateway counts as slowed down where its p99 grows beyond so many times and so many seconds.
P99_FACTOR = 2.0
P99_SECONDS = 0.05

Ledger = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Counts:
    """What was found; all but `sent`, `duplicated`, `flagged` and `unknown` must be 0.

    lost          promised to a client, and neither with the provider nor ended as unknown
    duplicated    acceptances by the provider beyond the first
    flagged       notifications with an attempt that is marked as a possible duplicate
    unflagged     notifications that were duplicated and are not flagged
    unknown       ended as failed, reason outcome_unknown
    false         2xx for a notification that the database does not have
    merged        request_ids and notifications that do not pair off one to one
    unasked       notifications in the database that no client was told of
    unstated      ended, and no attempt says so
    open          did not end in time
    undelivered   ended otherwise than delivered or unknown
    """

    sent: int = 0
    lost: int = 0
    duplicated: int = 0
    flagged: int = 0
    unflagged: int = 0
    unknown: int = 0
    false: int = 0
    merged: int = 0
    unasked: int = 0
    unstated: int = 0
    open: int = 0
    undelivered: int = 0


MUST_BE_ZERO = (
    "lost", "unflagged", "false", "merged", "unasked", "unstated", "open", "undelivered",
)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """One row of the table. `problems` say in words how the promise was broken."""

    scenario: Scenario
    code: str
    # Every notification that was named in a 2xx, by request_id.
    told: Mapping[str, set[str]]
    counts: Counts
    bound: int
    seconds: float
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = field(default=())

    @property
    def promised(self) -> set[str]:
        """Every notification that a client was told of."""
        return set().union(*self.told.values())

    @property
    def kept(self) -> bool:
        """True where the promise was kept."""
        return not self.problems


def run(arena: Arena, scenario: Scenario, scale: Scale) -> Verdict:
    """Send, break, wait until everything has ended, and count."""
    begun = time.monotonic()
    tenant, user_id = arena.tenant, arena.user_id
    if scenario.quota is not None:
        tenant, user_id = arena.new_tenant(scenario.quota(scale))
    code = f"{scenario.name}-{time.time_ns()}"
    tenant.make_template(code, **scenario.template())
    # What takes long to start is there before the clock runs.
    with arena.doubled(scenario.beside), scenario.within(arena):
        orders = scenario.orders(code, scale)
        load = Load(
            tenant,
            user_id,
            orders,
            rate=scenario.rate(scale, len(orders)),
            clients=scenario.clients,
            final=scenario.final,
            stopped=lambda: arena.roster.closed,
        )
        experiment = Experiment(arena, scale, load)
        given_up = _inject(experiment, scenario)
    evidence.settled(arena, code, len(load.promised), SETTLE_SECONDS)
    evidence.quiet(arena, QUIET_SECONDS)
    counts = count(load.ids, evidence.records(arena, code), arena.provider.accepted())
    _compare_latency(experiment, scenario)
    scenario.check(experiment)
    experiment.expect(given_up == 0, f"{given_up} requests were never answered for good")
    _judge(experiment, scenario, counts)
    return Verdict(
        scenario,
        code,
        load.ids,
        counts,
        scenario.duplicates(scale),
        time.monotonic() - begun,
        tuple(experiment.notes),
        tuple(experiment.problems),
    )


def _inject(experiment: Experiment, scenario: Scenario) -> int:
    """How many requests were given up."""
    experiment.load.start()
    try:
        scenario.inject(experiment)
    finally:
        given_up = experiment.load.finish()
    return given_up


def count(ids: Mapping[str, set[str]], found: Mapping[str, Record], ledger: Ledger) -> Counts:
    """Hold what clients were told against the database and the ledger."""
    promised = set().union(*ids.values())
    unknown = {one for one, record in found.items() if record.reason == Reason.OUTCOME_UNKNOWN}
    ended = {one for one, record in found.items() if record.status in ENDS}
    duplicated = {one for one in promised | set(found) if len(ledger.get(one, ())) > 1}
    flagged = {one for one, record in found.items() if record.flagged}
    return Counts(
        sent=len(promised),
        lost=len({one for one in promised if not ledger.get(one)} - unknown),
        duplicated=sum(len(ledger[one]) - 1 for one in duplicated),
        flagged=len(flagged),
        unflagged=len(duplicated - flagged),
        unknown=len(unknown),
        false=len(promised - set(found)),
        merged=sum(len(told) > 1 for told in ids.values())
        + sum(map(len, ids.values()))
        - len(promised),
        unasked=len(set(found) - promised),
        unstated=sum(not found[one].proven for one in ended),
        open=len(set(found) - ended),
        undelivered=sum(found[one].status is not Status.DELIVERED for one in ended - unknown),
    )


def _compare_latency(experiment: Experiment, scenario: Scenario) -> None:
    if experiment.outage is None:
        return
    begun, ended = experiment.outage
    before = experiment.load.p99(experiment.load.begun, begun)
    during = experiment.load.p99(begun, ended)
    experiment.note(f"gateway's p99: {before * 1000:.0f} ms before, {during * 1000:.0f} ms during")
    if not scenario.steady:
        return
    answered = experiment.load.answered(begun, ended)
    experiment.expect(answered > 0, "no request of that time was answered in it")
    # Of a short form's few requests the p99 is the slowest: it says more of the machine.
    if experiment.scale.patient:
        slower = f"the gateway's p99 grew from {before:.3f} s to {during:.3f} s"
        experiment.expect(during <= before * P99_FACTOR + P99_SECONDS, slower)


def _judge(experiment: Experiment, scenario: Scenario, counts: Counts) -> None:
    scale, load = experiment.scale, experiment.load
    for name in MUST_BE_ZERO:
        experiment.expect(getattr(counts, name) == 0, f"{getattr(counts, name)} {name}")
    bound = scenario.duplicates(scale)
    experiment.expect(counts.duplicated <= bound, f"more than {bound} duplicates")
    experiment.expect(counts.flagged <= bound, f"more than {bound} flagged")
    experiment.expect(counts.unknown <= scenario.unknown(scale), f"{counts.unknown} unknown")
    allowed = scenario.refusals | scenario.final | {ACCEPTED, REPLAYED}
    refusals = {status: many for status, many in load.statuses().items() if status not in allowed}
    experiment.expect(not refusals, f"answers by status: {refusals}")
    told = {status: many for status, many in load.statuses().items() if status in scenario.refusals}
    if told:
        answers = ", ".join(f"{many} x {status or 'nothing'}" for status, many in told.items())
        experiment.note(f"clients had to try again after: {answers}")
    twice = sum(many > 1 for many in load.accepted.values())
    experiment.expect(twice == 0, f"{twice} request_ids got a second 202")
