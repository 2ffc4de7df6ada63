"""The table of `make chaos`: a promise and what became of it in each row, in 120 columns."""

from collections.abc import Sequence

from deploy.local.console import table
from tests.end_to_end.faults.audit import Audit
from tests.end_to_end.faults.verdict import Verdict

HEADINGS = (
    "scenario", "promise", "injected", "sent", "lost", "duplicated", "flagged", "unknown", "kept",
)  # fmt: skip
LEGEND = """
sent        notifications that were promised with a 202
lost        neither with the provider nor ended as unknown; always 0
duplicated  mails that the provider was given again, of the most that this fault may cause
flagged     notifications marked possible_duplicate; every duplicated one is among them
unknown     ended as failed, outcome_unknown, rather than risk a second mail"""


def lines(verdicts: Sequence[Verdict], end: Audit, seconds: float) -> list[str]:
    """The table, what its columns mean, and how long it took."""
    rows = [*map(_row, verdicts), _last_row(end, verdicts)]
    return [*table(HEADINGS, rows), *LEGEND.splitlines(), "", f"It took {seconds:.0f} s."]


def _row(verdict: Verdict) -> tuple[str, ...]:
    scenario, counts = verdict.scenario, verdict.counts
    return (
        scenario.name,
        scenario.promise,
        scenario.injected,
        str(counts.sent),
        str(counts.lost),
        _of(counts.duplicated, verdict.bound),
        str(counts.flagged),
        str(counts.unknown),
        _kept(verdict.kept),
    )


def _last_row(end: Audit, verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    counts = [verdict.counts for verdict in verdicts]
    return (
        "audit_delivery",
        "accepted = sum of ends",
        f"{end.ended} of {end.accepted} ended",
        str(end.sent),
        str(sum(each.lost for each in counts)),
        _of(sum(each.duplicated for each in counts), sum(each.bound for each in verdicts)),
        str(sum(each.flagged for each in counts)),
        str(sum(each.unknown for each in counts)),
        _kept(not end.problems),
    )


def _of(found: int, most: int) -> str:
    return f"{found} of {most}" if most else str(found)


def _kept(kept: bool) -> str:
    return "yes" if kept else "NO"
