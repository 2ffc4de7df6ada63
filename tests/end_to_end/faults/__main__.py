"""`make chaos`: inject every fault and print what became of every notification."""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from deploy.local.console import Console, table
from tests.end_to_end.faults.arena import arena
from tests.end_to_end.faults.scenarios import BY_NAME, LONG, SHORT
from tests.end_to_end.faults.verdict import Verdict, run

HEADINGS = (
    "scenario", "promise", "injected", "sent", "lost", "duplicated", "bound", "flagged",
    "kept", "seconds",
)  # fmt: skip


def main() -> int:
    """0 if every promise was kept."""
    parser = argparse.ArgumentParser(
        prog="make chaos",
        description="Breaks a private platform on purpose, on this machine alone, and counts.",
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(BY_NAME))
    parser.add_argument("--short", action="store_true", help="small numbers, a few minutes in all")
    parser.add_argument("--messages", type=int, help="notifications per scenario (1 to 20,000)")
    chosen = parser.parse_args()
    unknown = set(chosen.scenarios) - set(BY_NAME)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    scale = SHORT if chosen.short else LONG
    if chosen.messages is not None:
        if not 1 <= chosen.messages <= 20_000:
            parser.error("--messages must be within 1..20000")
        scale = replace(scale, count=chosen.messages)

    console = Console()
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory(prefix="carillon-chaos-") as folder:
        Path(folder).chmod(0o711)
        with arena(Path(folder)) as ready:
            for name in chosen.scenarios or BY_NAME:
                with console.step(f"{name}: {BY_NAME[name].injected}, {scale.count} sent"):
                    verdicts.append(run(ready, BY_NAME[name], scale))
    console.line()
    for line in table(HEADINGS, [_row(verdict) for verdict in verdicts]):
        console.line(line)
    return 0 if all(verdict.kept for verdict in verdicts) else 1


def _row(verdict: Verdict) -> tuple[str, ...]:
    scenario = verdict.scenario
    numbers = (verdict.sent, verdict.lost, verdict.duplicated, verdict.bound, verdict.flagged)
    return (
        scenario.name,
        scenario.promise,
        scenario.injected,
        *map(str, numbers),
        "yes" if verdict.kept else "NO",
        f"{verdict.seconds:.0f}",
    )


if __name__ == "__main__":
    sys.exit(main())
