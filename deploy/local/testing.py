"""`make test`: every suite against private servers, and the counts on the last line.

The servers are those of `make run`, started by the same code in a temporary folder, so that both
may go on at once. Nothing of a person's .env or running stack reaches the tests.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.child import Command
from deploy.local.console import Console
from deploy.local.environment import STRANGERS
from deploy.local.interruptible import run_until_stopped
from deploy.local.junit import Counts, counts_in
from deploy.local.linting import SETTINGS
from deploy.local.paths import LOCAL, ROOT
from deploy.local.roster import Roster
from deploy.local.servers.suite_servers import SuiteServers
from deploy.local.suites import Suite, choose

SUITE_TIMEOUT = 1800.0  # seconds
AT_ONCE = 3  # there is always one that waits for servers to start
NOTHING_COLLECTED = 5  # pytest's exit code
RESULTS = LOCAL.path / "test-results"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one suite came to."""

    suite: Suite
    counts: Counts
    problem: str  # why it failed beyond its tests; empty if it did not
    seconds: float


@dataclass(slots=True)
class Run:
    """One run of some suites."""

    suites: tuple[Suite, ...]
    folder: Path
    roster: Roster
    console: Console
    unit: bool
    outcomes: list[Outcome] = field(default_factory=list)

    def work(self) -> int:
        """Start the servers and run the suites; 1 if any failed."""
        servers = None
        if not self.unit:
            servers = SuiteServers(self.folder, self.roster, [suite.name for suite in self.suites])
            servers.start(self.console)
        # The last have the machine to themselves, one after the other.
        for last, at_once in ((False, AT_ONCE), (True, 1)):
            now = [suite for suite in self.suites if suite.last is last]
            with ThreadPoolExecutor(at_once) as pool:
                list(pool.map(lambda suite: self._run(suite, servers), now))
        return int(any(outcome.problem or outcome.counts.failed for outcome in self.outcomes))

    def _run(self, suite: Suite, servers: SuiteServers | None) -> None:
        begun = time.monotonic()
        report = self.folder / f"{suite.name}.xml"
        colour = ("--color=yes",) if self.console.coloured else ()
        pytest = (sys.executable, "-m", "pytest", *colour)
        own = servers.settings(suite.name) if servers else SETTINGS
        child = self.roster.start(
            Command(
                name=suite.name,
                argv=(*pytest, *suite.arguments(str(report), unit=self.unit)),
                environment=suite_environment(own),
                folder=ROOT,
            ),
            # One suite is shown as it goes; of several, each when it is done.
            show=len(self.suites) == 1,
        )
        with self.console.step(f"Suite {suite.name}"):
            try:
                code = child.wait(SUITE_TIMEOUT)
                problem = "" if code == 0 else f"pytest ended with exit code {code}"
            except subprocess.TimeoutExpired:
                code, problem = -1, f"took more than {SUITE_TIMEOUT:.0f} s"
            self.roster.stop(suite.name)
        counts = counts_in(report)
        if self.roster.closed:
            problem = "was interrupted"
        elif code == NOTHING_COLLECTED or not counts.collected:
            problem = "no test was collected"
        self._report(Outcome(suite, counts, problem, time.monotonic() - begun))

    def _report(self, outcome: Outcome) -> None:
        if len(self.suites) > 1:
            log = self.roster.logs / f"{outcome.suite.name}.log"
            text = log.read_text(encoding="utf-8", errors="replace")
            self.console.line(f"\n===== {outcome.suite.name} =====\n{text.rstrip()}\n")
        self.outcomes.append(outcome)


def main(arguments: list[str], console: Console) -> int:
    """Run all suites, or those named; 0 if each collected tests and none failed."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local test")
    parser.add_argument("--unit", action="store_true", help="only tests that need no server")
    parser.add_argument("suites", nargs="*", help="names of suites; without any, all")
    options = parser.parse_args(arguments)
    suites = choose(options.suites, unit=options.unit)
    folder = Path(tempfile.mkdtemp(prefix="carillon-test-"))
    # PostgreSQL runs under another account where we are root, and must reach its data.
    folder.chmod(0o711)
    roster = Roster(folder, folder / "logs", on_line=lambda _, line: show(line))
    run = Run(suites, folder, roster, console, options.unit)
    try:
        code = run_until_stopped(run.work, roster, console, stopping="Stopping the test servers")
    finally:
        keep_results(folder)
        shutil.rmtree(folder, ignore_errors=True)
    for line in summary(run.outcomes):
        console.line(line)
    return code


def summary(outcomes: list[Outcome]) -> list[str]:
    """A line for each suite, and the counts alone on the last."""
    lines = []
    total = Counts()
    for outcome in outcomes:
        problem = f": {outcome.problem}" if outcome.problem else ""
        seconds = f"{outcome.seconds:.0f} s"
        lines.append(f"{outcome.suite.name} ({seconds}): {outcome.counts}{problem}")
        # A suite that failed as a whole is a failure even where none of its tests is.
        whole = int(bool(outcome.problem) and not outcome.counts.failed)
        total += outcome.counts + Counts(failed=whole)
    return [*lines, str(total)]


def suite_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment less every setting of ours, and those of the suite."""
    ours = {*documented_settings(), *STRANGERS}
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    return {**inherited, **settings}


def documented_settings() -> set[str]:
    """The settings that .env.example explains."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    lines = (line.removeprefix("#").strip() for line in text.splitlines())
    return {line.partition("=")[0] for line in lines if line.partition("=")[0].isupper()}


def keep_results(folder: Path) -> None:
    """Keep the reports and logs of the last run where a person finds them."""
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    for report in folder.glob("*.xml"):
        shutil.copy(report, RESULTS)
    if (folder / "logs").is_dir():
        shutil.copytree(folder / "logs", RESULTS / "logs")


def show(line: bytes) -> None:
    """Pass on a line of pytest's."""
    sys.stdout.write(line.decode("utf-8", errors="replace"))
    sys.stdout.flush()
