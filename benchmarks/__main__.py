"""`python -m benchmarks [SCENARIO …]`: measure, print, and keep the results."""

import argparse
import datetime
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import structlog

from benchmarks.harness import machine
from benchmarks.harness.chart import draw
from benchmarks.harness.ground import FULL, QUICK, Ground
from benchmarks.harness.programs import prepare
from benchmarks.harness.results import (
    RESULTS,
    Circumstances,
    Result,
    missed,
    save,
    say,
    say_ratios,
)
from benchmarks.scenarios import SCENARIOS
from deploy.local.console import Console
from deploy.local.interruptible import run_until_stopped
from deploy.local.roster import Roster


def main(arguments: Sequence[str]) -> int:
    """0 if all was measured and, unless it was quick, every `must` holds; else 1."""
    chosen = _read(arguments)
    # What our own parts of the platform's library say of their connections is no result.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="carillon-bench-"))
    folder.chmod(0o711)  # PostgreSQL's own account must reach its data
    roster = Roster(folder, folder / "logs")
    scale = QUICK if chosen.quick else FULL
    if chosen.rounds:
        scale = replace(scale, rounds=chosen.rounds)
    ground = Ground(folder, roster, console, scale)

    def work() -> int:
        try:
            prepare(roster, console)
            ground.start()
            return measure(ground, chosen.scenarios, chosen.results, quick=chosen.quick)
        finally:
            ground.close()

    try:
        return run_until_stopped(work, roster, console, stopping="Stopping what was measured")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(ground: Ground, names: Sequence[str], folder: Path, *, quick: bool) -> int:
    """Run the scenarios one after the other; in a quick run those apart beside the rest."""
    console, described = ground.console, machine.describe()
    began = time.monotonic()
    console.line(described.line())
    console.line(f"Load average: {machine.load():.2f}")
    results: list[Result] = []
    pool = ThreadPoolExecutor(len(names))
    try:
        beside = {
            name: pool.submit(SCENARIOS[name].run, ground)
            for name in names
            if quick and SCENARIOS[name].apart
        }
        for number, name in enumerate(names, 1):
            console.line()
            console.heading(f"{number}/{len(names)} {name}: {SCENARIOS[name].about}")
            begun, load = datetime.datetime.now(datetime.UTC), machine.load()
            result = beside[name].result() if name in beside else _alone(ground, name)
            circumstances = Circumstances(described, begun, (load, machine.load()), quick)
            say(result, console)
            save(result, circumstances, folder)
            draw(result, circumstances, folder)
            results.append(result)
    finally:
        # One beside ends with the roster.
        pool.shutdown(wait=False, cancel_futures=True)
    console.line()
    console.heading(f"All ratios, after {time.monotonic() - began:.0f} s")
    say_ratios(results, console)
    console.line(f"\nKept in {folder}")
    fell_short = missed(results)
    if quick:
        console.line("Measured too briefly for the figures to mean anything.")
        return 0
    return 1 if fell_short else 0


def _alone(ground: Ground, name: str) -> Result:
    """Nothing of an earlier scenario is left to be done."""
    scenario = SCENARIOS[name]
    if scenario.apart:
        ground.stop_platform()
    else:
        ground.clear()
    return scenario.run(ground)


def _read(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures a private platform and its peers, on this machine alone.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"{name:12} {each.about}" for name, each in SCENARIOS.items()),
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="default: all")
    parser.add_argument("--quick", action="store_true", help="only to see that they run")
    parser.add_argument(
        "--rounds",
        type=int,
        help=f"of each side (default: {FULL.rounds}); accept takes twice as many",
    )
    parser.add_argument(
        "--results",
        type=Path,
        help=f"the folder for JSON and charts (default: {RESULTS.name}/, a quick run's: .local)",
    )
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    chosen.scenarios = chosen.scenarios or list(SCENARIOS)
    quick_results = RESULTS.parents[1] / ".local" / "benchmarks" / "quick"
    chosen.results = chosen.results or (quick_results if chosen.quick else RESULTS)
    return chosen


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
