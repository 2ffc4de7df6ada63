"""`make test-providers`: our providers against doubles that others wrote.

Apart from `make test`: the doubles come from npm and pip, hundreds of packages of them.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.local.child import Command
from deploy.local.console import Console
from deploy.local.double_programs import doubles_are_installed, install_doubles
from deploy.local.interruptible import run_until_stopped
from deploy.local.linting import SETTINGS
from deploy.local.paths import DOUBLE_PROGRAMS, ROOT
from deploy.local.roster import Roster
from deploy.local.testing import show, suite_environment

TESTS = "tests/providers"
TIMEOUT = 900.0  # seconds, of all of them


def main(arguments: list[str], console: Console) -> int:
    """Install what is missing, then run the tests; `arguments` are pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="carillon-providers-"))
    roster = Roster(folder, folder / "logs", on_line=lambda _, line: show(line))

    def work() -> int:
        if not doubles_are_installed():
            install_doubles(roster, console)
        environment = suite_environment(SETTINGS)
        pytest = (sys.executable, "-m", "pytest", f"--timeout={TIMEOUT:.0f}")
        child = roster.start(
            Command(
                name="providers",
                argv=(*pytest, TESTS, *arguments),
                environment={**environment, "DOUBLES": str(DOUBLE_PROGRAMS)},
                folder=ROOT,
            ),
            show=True,
        )
        try:
            return child.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            console.line(f"The tests took more than {TIMEOUT:.0f} s.", colour="31")
            return 1

    try:
        return run_until_stopped(work, roster, console, stopping="Stopping the doubles")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
