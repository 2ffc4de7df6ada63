"""The table of `make chaos`, read as whoever runs it does."""

from tests.end_to_end.faults.audit import Audit
from tests.end_to_end.faults.report import lines
from tests.end_to_end.faults.scenario import LONG
from tests.end_to_end.faults.scenarios import SCENARIOS
from tests.end_to_end.faults.verdict import Counts, Verdict

COLUMNS = 120


def verdict_of(number: int, counts: Counts, problems: tuple[str, ...] = ()) -> Verdict:
    scenario = SCENARIOS[number]
    return Verdict(scenario, "code", {}, counts, scenario.duplicates(LONG), 60.0, (), problems)


def test_it_fits_a_terminal() -> None:
    most = Counts(sent=20_000, duplicated=40, flagged=40, unknown=40)
    verdicts = [verdict_of(number, most) for number in range(len(SCENARIOS))]
    end = Audit(20_000, 20_000, 20_000, 0, ())
    widths = {len(line): line for line in lines(verdicts, end, 3600)}
    assert max(widths) <= COLUMNS, widths[max(widths)]


def test_a_broken_promise_stands_out() -> None:
    kept = verdict_of(0, Counts(sent=10))
    broken = verdict_of(1, Counts(sent=10, lost=1), ("1 lost",))
    first, second, last = lines([kept, broken], Audit(20, 19, 20, 0, ("1 open",)), 5)[2:5]
    assert first.split()[-6:] == ["10", "0", "0", "0", "0", "yes"]
    assert second.split()[-6:] == ["10", "1", "0", "0", "0", "NO"]
    assert last.split()[-6:] == ["20", "1", "0", "0", "0", "NO"]


def test_the_bound_of_duplicates_stands_beside_them() -> None:
    (number,) = (n for n, each in enumerate(SCENARIOS) if each.name == "worker-killed")
    row = lines([verdict_of(number, Counts(sent=10, duplicated=2))], Audit(0, 0, 0, 0, ()), 5)[2]
    assert "  2 of 40  " in row
