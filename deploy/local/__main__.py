"""The local stack's command line: `python -m deploy.local COMMAND`."""

import argparse
import importlib
import sys
from dataclasses import dataclass

from deploy.local.bootstrap import hand_over, prepare
from deploy.local.console import Console
from deploy.local.errors import StackError
from deploy.local.interruptible import INTERRUPTED, run_until_stopped
from deploy.local.paths import LOCAL
from deploy.local.roster import Roster
from deploy.local.state import supervisor_of
from deploy.local.status import say_already_running


@dataclass(frozen=True, slots=True)
class Subcommand:
    """One command: what it says of itself, the module with its `main`, and what it needs."""

    about: str
    module: str
    requirements: str = ""  # without: any python3 will do
    servers: bool = False
    mailbox: bool = False


COMMANDS = {
    "run": Subcommand(
        "start the whole platform, send a demo, follow the logs until Ctrl-C",
        "deploy.local.run",
        requirements="local.txt",
        servers=True,
        mailbox=True,
    ),
    "send": Subcommand(
        "send the demo again to the running platform",
        "deploy.local.send",
        requirements="local.txt",
    ),
    "stop": Subcommand("stop the running platform", "deploy.local.stop"),
    "status": Subcommand("say what runs, where, and whether it is well", "deploy.local.status"),
    "doctor": Subcommand(
        "look over settings, connections, versions, migrations, clocks and providers",
        "deploy.local.doctor",
        requirements="local.txt",
    ),
    "logs": Subcommand("show the logs, all or by name", "deploy.local.logs"),
    "clean": Subcommand("stop the platform and delete its data", "deploy.local.clean"),
    "servers": Subcommand(
        "run a command beside private PostgreSQL, Redis and RabbitMQ",
        "deploy.local.run_beside_servers",
        requirements="development.txt",
        servers=True,
    ),
    "test": Subcommand(
        "run the test suites, all or by name, against private servers",
        "deploy.local.testing",
        requirements="development.txt",
        servers=True,
        mailbox=True,
    ),
    "test-providers": Subcommand(
        "run our providers against doubles that others wrote (npm, pip)",
        "deploy.local.provider_tests",
        requirements="development.txt",
    ),
    "chaos": Subcommand(
        "break a private platform in every promised way and count what was lost",
        "deploy.local.chaos",
        requirements="development.txt",
        servers=True,
    ),
    "bench": Subcommand(
        "measure a private platform beside what people would use instead",
        "deploy.local.bench",
        requirements="development.txt",
        servers=True,
    ),
    "lint": Subcommand(
        "run every static check, or those named",
        "deploy.local.linting",
        requirements="development.txt",
    ),
}


def main(arguments: list[str]) -> int:
    """Run one command; its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"{name:14} {command.about}" for name, command in COMMANDS.items()),
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="arguments of the command")
    options = parser.parse_args(arguments)
    # A log line that the terminal cannot show is no reason to end.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    command = COMMANDS[options.command]
    console = Console()
    # Before anything is installed below a platform that runs.
    if options.command == "run" and supervisor_of(LOCAL):
        return say_already_running(console)
    if command.requirements:
        code = _prepare(command, console)
        if code != 0:
            return code
        hand_over(arguments)
    try:
        return int(importlib.import_module(command.module).main(options.rest, console))
    except StackError as error:
        console.line(f"\n{error}", colour="31")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _prepare(command: Subcommand, console: Console) -> int:
    # Not LOCAL.path itself: what carries that mark is ended by the next `make run`.
    roster = Roster(LOCAL.path / "install", LOCAL.logs)

    def work() -> int:
        prepare(
            console,
            roster,
            command.requirements,
            servers=command.servers,
            mailbox=command.mailbox,
        )
        return 0

    return run_until_stopped(work, roster, console, stopping="Stopping the installation")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
