"""`python -m tests.end_to_end.lanes --jobs 50000`: how much a flood delays what is urgent."""

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from carillon.contracts.lanes import Lane
from deploy.local.console import Console, table
from deploy.local.interruptible import run_until_stopped
from deploy.local.roster import Roster
from tests.end_to_end.faults import evidence
from tests.end_to_end.faults.arena import Arena, arena
from tests.end_to_end.lanes.flood import QUEUES, TEMPLATE, Crowd, depth, queue_up
from tests.end_to_end.lanes.measure import Waits, measure, quantile, wait_delivered

MOST_RATIO = 3.0
WARM_UP = 20
SETTLE = 2.0  # seconds
HEADINGS = ("urgent notifications", "p50 ms", "p95 ms", "p99 ms", "p95 ms from the 202")


def main() -> int:
    """0 if the p95 in the flood is at most MOST_RATIO times the idle one."""
    parser = argparse.ArgumentParser(prog="python -m tests.end_to_end.lanes", description=__doc__)
    parser.add_argument("--jobs", type=int, default=50_000, help="bulk jobs (default: 50,000)")
    parser.add_argument("--samples", type=int, default=100, help="urgent ones, each time")
    parser.add_argument("--rate", type=float, default=10.0, help="urgent ones a second")
    parser.add_argument("--rounds", type=int, default=1, help="floods, one after the other")
    parser.add_argument("--times", type=Path, help="a file for every round's waits, as JSON")
    parser.add_argument(
        "--forget-rest", action="store_true", help="do not deliver what is left of a flood"
    )
    chosen = parser.parse_args()
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="carillon-lanes-"))
    folder.chmod(0o711)
    roster = Roster(folder, folder / "logs")

    def work() -> int:
        with arena(folder, roster, for_speed=True) as ready:
            ready.tenant.make_template(TEMPLATE)
            measure(ready, samples=WARM_UP, rate=chosen.rate)
            found = [
                compare(
                    ready,
                    console,
                    chosen.jobs,
                    chosen.samples,
                    chosen.rate,
                    forget_rest=chosen.forget_rest,
                )
                for _ in range(chosen.rounds)
            ]
        if chosen.times:
            chosen.times.write_text(json.dumps([asdict(each) for each in found]), encoding="utf-8")
        return 0 if all(each.kept for each in found) else 1

    try:
        return run_until_stopped(work, roster, console, stopping="Stopping the private platform")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Compared:
    """One flood: the waits before and in it; `kept` if the promise was."""

    idle: Waits
    busy: Waits
    kept: bool


def compare(
    ready: Arena, console: Console, jobs: int, samples: int, rate: float, *, forget_rest: bool
) -> Compared:
    """Measure idle and flooded, and print both; then deliver what is left, or forget it."""
    with console.step(f"{samples} urgent notifications and nothing else"):
        idle = measure(ready, samples=samples, rate=rate)
    with console.step(f"Queueing {jobs:,} bulk jobs"):
        (bulk,) = queue_up(ready.tenant, "bulk@example.com", [Crowd(Lane.BULK, 1, jobs)])
    begun = time.monotonic()
    ready.stack.platform.start_process("email_worker")
    ready.wait_until(lambda: any(one in ready.provider.latest for one in bulk), 60.0)
    with console.step(f"{samples} urgent notifications while they are delivered"):
        busy = measure(ready, samples=samples, rate=rate)
        left = depth(ready.tenant, Lane.BULK)
        seconds = time.monotonic() - begun
    console.line(f"\n{(jobs - left) / seconds:,.0f} bulk jobs delivered a second, meanwhile\n")
    with console.step(f"The {left:,} bulk jobs that are left"):
        if forget_rest:
            evidence.purge(ready, QUEUES[Lane.BULK])
            # What workers had taken already is delivered.
            ready.pause(SETTLE)
        delivered = forget_rest or wait_delivered(ready)
    for line in table(HEADINGS, [_row("idle", idle), _row(f"{jobs:,} bulk jobs wait", busy)]):
        console.line(line)
    ratio = quantile(busy.queued, 0.95) / quantile(idle.queued, 0.95)
    console.line(f"\np95 from queue to provider: {ratio:.2f} times the idle one")
    if not left:
        console.line("The bulk jobs were gone before the urgent ones: take more of them.")
    return Compared(idle, busy, kept=ratio <= MOST_RATIO and left > 0 and delivered)


def _row(title: str, waits: Waits) -> tuple[str, ...]:
    numbers = [quantile(waits.queued, share) for share in (0.5, 0.95, 0.99)]
    return (title, *(f"{n * 1000:.1f}" for n in (*numbers, quantile(waits.accepted, 0.95))))


if __name__ == "__main__":
    sys.exit(main())
