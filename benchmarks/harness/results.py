"""What a scenario came to: a table for people, JSON for programs."""

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.machine import Machine
from benchmarks.harness.rounds import Rounds, Spread
from benchmarks.harness.targets import Target
from deploy.local.console import Console, table

RESULTS = Path(__file__).resolve().parent.parent / "results"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric of one side over one of another's, held against a target."""

    target: Target
    over: tuple[str, str]
    under: tuple[str, str]

    def ratio(self, rounds: Rounds) -> float:
        """The ratio of the medians."""
        return rounds.of(*self.over).median / rounds.of(*self.under).median


@dataclass(frozen=True, slots=True)
class Result:
    """The measurements of one scenario; `notes` say what one must know to read them."""

    scenario: str
    title: str
    rounds: Rounds
    comparisons: Sequence[Comparison]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When and where; `load` is the machine's load average before and after."""

    machine: Machine
    begun: datetime.datetime
    load: tuple[float, float]
    quick: bool


def as_dict(result: Result, circumstances: Circumstances) -> dict[str, object]:
    """All of it, for JSON."""
    return {
        "scenario": result.scenario,
        "title": result.title,
        "begun": circumstances.begun.isoformat(timespec="seconds"),
        "quick": circumstances.quick,
        "machine": circumstances.machine.as_dict(),
        "load_average": {"before": circumstances.load[0], "after": circumstances.load[1]},
        "measured": [
            {
                "side": side,
                "metric": metric,
                "median": spread.median,
                "least": spread.least,
                "most": spread.most,
                "rounds": list(spread.values),
            }
            for (side, metric), spread in result.rounds.all().items()
        ],
        "ratios": [_ratio(comparison, result.rounds) for comparison in result.comparisons],
        "notes": list(result.notes),
    }


def save(result: Result, circumstances: Circumstances, folder: Path) -> Path:
    """Write the JSON; where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{result.scenario}.json"
    text = json.dumps(as_dict(result, circumstances), indent=2)
    file.write_text(f"{text}\n", encoding="utf-8")
    return file


def say(result: Result, console: Console) -> None:
    """Print the measurements, the ratios with their targets, and the notes."""
    console.line()
    console.heading(result.title)
    rows: list[tuple[str, ...]] = [
        (side, metric, number(spread.median), f"{number(spread.least)} to {number(spread.most)}")
        for (side, metric), spread in result.rounds.all().items()
    ]
    for line in table(("who", "what", "median", "from to"), rows):
        console.line(f"  {line}")
    say_ratios([result], console)
    for note in result.notes:
        console.line(f"  {note}")


def say_ratios(results: Sequence[Result], console: Console) -> None:
    """Print every ratio beside what it must be."""
    rows = [_row(each, result.rounds) for result in results for each in result.comparisons]
    if not rows:
        return
    console.line()
    for line in table(("ratio", "measured", "rounds", "must", "aim", ""), rows):
        console.line(f"  {line}", colour="31" if line.endswith("missed") else "")


def missed(results: Sequence[Result]) -> list[str]:
    """The targets whose `must` did not hold."""
    return [
        comparison.target.name
        for result in results
        for comparison in result.comparisons
        if comparison.target.verdict(comparison.ratio(result.rounds)) == "missed"
    ]


def number(value: float) -> str:
    """Three significant digits at least: 12,345 or 0.123."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _row(comparison: Comparison, rounds: Rounds) -> tuple[str, ...]:
    target, ratio = comparison.target, comparison.ratio(rounds)
    spread = rounds.ratios(comparison.over, comparison.under)
    words = {"aim": "holds, and the aim", "must": "holds", "missed": "missed"}
    return (
        target.name,
        number(ratio),
        f"{number(spread.least)} to {number(spread.most)}",
        target.bound(target.must),
        target.bound(target.aim),
        words[target.verdict(ratio)],
    )


def _ratio(comparison: Comparison, rounds: Rounds) -> dict[str, object]:
    target, ratio = comparison.target, comparison.ratio(rounds)
    spread: Spread = rounds.ratios(comparison.over, comparison.under)
    return {
        "name": target.name,
        "ratio": ratio,
        "least": spread.least,
        "most": spread.most,
        "must": target.must,
        "aim": target.aim,
        "lower_is_better": target.lower,
        "verdict": target.verdict(ratio),
    }
