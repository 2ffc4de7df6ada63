"""Installs the doubles of providers that others wrote: moto with pip, the others with npm."""

import shutil
import sys
from pathlib import Path

from deploy.local.child import Command
from deploy.local.concurrently import together
from deploy.local.console import Console
from deploy.local.errors import StackError
from deploy.local.paths import DOUBLE_PROGRAMS, ROOT
from deploy.local.programs import find_node
from deploy.local.roster import Roster

SOURCE = Path(__file__).with_name("doubles")
REQUIREMENTS = ROOT / "requirements" / "doubles.txt"
TIMEOUT = 900  # seconds
STAMP = DOUBLE_PROGRAMS / "installed"


def doubles_are_installed() -> bool:
    """True where the programs are those of today's lock files."""
    return STAMP.is_file() and STAMP.read_text(encoding="utf-8") == _wanted()


def install_doubles(roster: Roster, console: Console) -> None:
    """Install what the lock files name, every package's hash checked. Raises StackError."""
    node = find_node()
    if node is None:
        raise StackError("Node.js and npm are needed for the doubles of Twilio and of browsers.")
    shutil.rmtree(DOUBLE_PROGRAMS, ignore_errors=True)
    DOUBLE_PROGRAMS.mkdir(parents=True)

    def with_npm() -> None:
        with console.step("Installing Prism, Twilio's OpenAPI and web-push-testing with npm"):
            for name in ("package.json", "package-lock.json"):
                shutil.copy(SOURCE / name, DOUBLE_PROGRAMS / name)
            # No package's install script runs: none is needed, and they are a common way in.
            options = ("--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev")
            _run(roster, "doubles-npm", str(node[1]), "ci", *options)

    def with_pip() -> None:
        with console.step("Installing moto with pip"):
            folder = DOUBLE_PROGRAMS / "venv"
            _run(roster, "doubles-venv", sys.executable, "-m", "venv", str(folder))
            pip = (str(folder / "bin" / "pip"), "install", "-q", "--disable-pip-version-check")
            _run(roster, "doubles-pip", *pip, "--require-hashes", "-r", str(REQUIREMENTS))

    together([with_npm, with_pip])
    STAMP.write_text(_wanted(), encoding="utf-8")


def _wanted() -> str:
    lock = (SOURCE / "package-lock.json").read_text(encoding="utf-8")
    return lock + REQUIREMENTS.read_text(encoding="utf-8")


def _run(roster: Roster, name: str, *argv: str) -> None:
    roster.fetch(Command(name=name, argv=argv, folder=DOUBLE_PROGRAMS), timeout=TIMEOUT)
