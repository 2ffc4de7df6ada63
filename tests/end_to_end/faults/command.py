"""`make chaos`: inject every fault and print what became of every notification."""

import argparse
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deploy.local.console import Console
from deploy.local.interruptible import run_until_stopped
from deploy.local.roster import Roster
from tests.end_to_end.faults.arena import Arena, arena
from tests.end_to_end.faults.audit import audit
from tests.end_to_end.faults.report import lines
from tests.end_to_end.faults.scenario import LONG, SHORT, Scale, Scenario
from tests.end_to_end.faults.scenarios import BY_NAME, scenarios_for
from tests.end_to_end.faults.verdict import Verdict, run

MOST = 20_000


def main(arguments: Sequence[str], console: Console) -> int:
    """0 if every promise was kept, 1 if not, 130 after Ctrl-C."""
    chosen, scale = read(arguments)
    folder = Path(tempfile.mkdtemp(prefix="carillon-chaos-"))
    # PostgreSQL runs under another account where we are root, and must reach its data.
    folder.chmod(0o711)
    roster = Roster(folder, folder / "logs")

    def work() -> int:
        with console.step("Starting private servers and a platform"):
            ready = arena(folder, roster)
            place = ready.__enter__()
        try:
            return break_and_count(place, chosen, scale, console)
        finally:
            ready.__exit__(None, None, None)

    try:
        return run_until_stopped(work, roster, console, stopping="Stopping the private platform")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read(arguments: Sequence[str]) -> tuple[tuple[Scenario, ...], Scale]:
    """What was asked for; exits with usage where that makes no sense."""
    parser = argparse.ArgumentParser(
        prog="make chaos",
        description="Breaks a private platform on purpose, on this machine alone, and counts.",
        epilog=f"Scenarios: {', '.join(BY_NAME)}",
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="default: all")
    parser.add_argument(
        "--short", action="store_true", help="small numbers, short outages, a minute or two"
    )
    parser.add_argument(
        "--messages",
        type=int,
        help=f"notifications per scenario, 10 to {MOST:,} (default: {MOST:,} in all)",
    )
    given = parser.parse_args(arguments)
    unknown = set(given.scenarios) - set(BY_NAME)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    scale = SHORT if given.short else LONG
    chosen = tuple(BY_NAME[name] for name in given.scenarios) or scenarios_for(scale)
    if given.messages is not None:
        if not 10 <= given.messages <= MOST:
            parser.error(f"--messages must be within 10..{MOST}")
        return chosen, replace(scale, count=given.messages)
    if not given.short:
        scale = replace(scale, count=LONG.count // len(chosen))
    return chosen, scale


def break_and_count(
    place: Arena, chosen: Sequence[Scenario], scale: Scale, console: Console
) -> int:
    """Run the scenarios one after the other and print the table; 0 if all was kept."""
    begun = time.monotonic()
    verdicts: list[Verdict] = []
    for number, scenario in enumerate(chosen, 1):
        with console.step(f"{number}/{len(chosen)} {scenario.name}: {scenario.injected}"):
            verdicts.append(run(place, scenario, scale))
        tell(verdicts[-1], console)
    with console.step("Counting once more, and audit_delivery --settled"):
        end = audit(place, verdicts)
    console.line()
    for line in lines(verdicts, end, time.monotonic() - begun):
        console.line(line)
    for problem in end.problems:
        console.line(f"  ! {problem}", colour="31")
    kept = not end.problems and all(verdict.kept for verdict in verdicts)
    console.line("\nEvery promise was kept." if kept else "\nA promise was broken.")
    return 0 if kept else 1


def tell(verdict: Verdict, console: Console) -> None:
    """What was measured on the way, and what went wrong."""
    for note in verdict.notes:
        console.line(f"      {note}")
    for problem in verdict.problems:
        console.line(f"    ! {problem}", colour="31")
