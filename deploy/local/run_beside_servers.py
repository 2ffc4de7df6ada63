"""`python -m deploy.local servers [COMMAND …]`: a command beside private, empty servers.

    python -m deploy.local servers .venv/bin/pytest carillon/broker

Without a command it prints the addresses, for another shell, and waits for Ctrl-C.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from deploy.local.child import Command
from deploy.local.console import Console
from deploy.local.interruptible import run_until_stopped
from deploy.local.roster import Roster
from deploy.local.servers.suite_servers import SuiteServers
from deploy.local.testing import show, suite_environment

TENANT = "carillon"


def main(arguments: list[str], console: Console) -> int:
    """Start the servers, run the command, stop them; the command's exit code."""
    command = tuple(arguments[1:] if arguments[:1] == ["--"] else arguments)
    folder = Path(tempfile.mkdtemp(prefix="carillon-servers-"))
    folder.chmod(0o711)  # PostgreSQL's own account must reach its data
    roster = Roster(folder, folder / "logs", on_line=lambda _, line: show(line))

    def work() -> int:
        servers = SuiteServers(folder, roster, [TENANT])
        servers.start(console)
        settings = servers.settings(TENANT)
        if not command:
            for name, value in settings.items():
                console.line(f"export {name}='{value}'")
            console.line("\nCtrl-C stops the servers and deletes what they hold.")
            roster.wait_closed()
            return 0
        environment = suite_environment(settings)
        child = roster.start(
            Command(
                name="command",
                argv=command,
                environment=environment,
                folder=Path.cwd(),
                grace=60.0,  # it may have much to put away
            )
        )
        return child.wait()

    try:
        return run_until_stopped(work, roster, console, stopping="Stopping the servers")
    finally:
        sys.stdout.flush()
        shutil.rmtree(folder, ignore_errors=True)
