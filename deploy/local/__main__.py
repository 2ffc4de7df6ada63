"""The local stack's command line: `python -m deploy.local COMMAND`."""

import argparse
import importlib
import sys
from dataclasses import dataclass

from deploy.local.bootstrap import hand_over, prepare
from deploy.local.console import Console
from deploy.local.errors import StackError, StopRequested


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
    "lint": Subcommand(
        "run every static check, or those named",
        "deploy.local.linting",
        requirements="development.txt",
    ),
}


def main(arguments: list[str]) -> int:
    """Run one command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("command", choices=COMMANDS, help="; ".join(_help()))
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="arguments of the command")
    options = parser.parse_args(arguments)
    subcommand = COMMANDS[options.command]
    console = Console()
    try:
        if subcommand.requirements:
            prepare(
                console,
                subcommand.requirements,
                servers=subcommand.servers,
                mailbox=subcommand.mailbox,
            )
            hand_over(arguments)
        module = importlib.import_module(subcommand.module)
        return int(module.main(options.rest, console))
    except StackError as error:
        console.line(f"\n{error}", colour="31")
        return 1
    except (KeyboardInterrupt, StopRequested):
        console.line("\nStopped.")
        return 130


def _help() -> list[str]:
    return [f"{name}: {subcommand.about}" for name, subcommand in COMMANDS.items()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
