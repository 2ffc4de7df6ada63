"""Makes what a command needs: the virtual environment, its packages, the servers, the mailbox.

Runs on a bare python3 with the standard library alone, then hands over to `.venv/bin/python`.
All of it is skipped within milliseconds where it is there already.
"""

import fcntl
import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from deploy.local.child import Command
from deploy.local.concurrently import together
from deploy.local.console import Console
from deploy.local.install import install, installer, missing_servers, missing_venv
from deploy.local.mailbox_programs import install_mailbox, mailbox_is_installed
from deploy.local.paths import MAILBOX_PROGRAMS, ROOT, VENV
from deploy.local.private_files import read_values
from deploy.local.roster import Roster

REQUIREMENTS = ROOT / "requirements"
STAMP = VENV / "installed-requirements.json"
TIMEOUT = 900  # seconds for pip; a slow network may need minutes
PYTHON = VENV / "bin" / "python"

Step = tuple[str, Callable[[], None]]


def prepare(
    console: Console, roster: Roster, requirements: str, *, servers: bool, mailbox: bool
) -> None:
    """Install what is missing, concurrently; raises StackError where something cannot be."""
    with _alone():
        _install(console, roster, requirements, servers=servers, mailbox=mailbox)


def _install(
    console: Console, roster: Roster, requirements: str, *, servers: bool, mailbox: bool
) -> None:
    given = given_settings()
    debian = missing_servers(given) if servers else []
    first = [] if PYTHON.exists() else missing_venv()
    if first or debian:
        installer(first + debian)  # says all that is missing before anything is done
    if first:
        # Debian's own python3 cannot make the environment before this is there.
        with console.step(f"Installing {', '.join(first)} with apt-get"):
            install(first)
    steps: list[Step] = []
    if debian:
        steps.append((f"Installing {', '.join(debian)} with apt-get", lambda: install(debian)))
    if not satisfied(requirements):
        title = "Installing Python packages into .venv"
        steps.append((title, lambda: install_python(roster, requirements)))
    if mailbox and "SMTP_URL" not in given and not mailbox_is_installed():
        steps.append(("Installing the mailbox", lambda: install_mailbox(roster)))
    together([partial(_run, console, step) for step in steps])


def hand_over(arguments: list[str]) -> None:
    """Become the virtual environment's Python, unless this is it."""
    if Path(sys.prefix).resolve() != VENV.resolve():
        os.execv(PYTHON, [str(PYTHON), "-m", "deploy.local", *arguments])  # noqa: S606


def given_settings(environment: Mapping[str, str] = os.environ) -> set[str]:
    """The names of the settings that have a value in the environment or in .env."""
    values = {**read_values(ROOT / ".env"), **environment}
    return {name for name, value in values.items() if value.strip()}


def satisfied(requirements: str) -> bool:
    """True where `requirements` or a file with all of its pins was installed as it is now."""
    if not PYTHON.exists() or not STAMP.is_file():
        return False
    stamps: dict[str, str] = json.loads(STAMP.read_text(encoding="utf-8"))
    wanted = pins(REQUIREMENTS / requirements)
    return any(
        digest_of(REQUIREMENTS / name) == digest and wanted <= pins(REQUIREMENTS / name)
        for name, digest in stamps.items()
        if (REQUIREMENTS / name).is_file()
    )


def pins(file: Path) -> set[str]:
    """The `name==version` of a compiled requirements file."""
    return set(re.findall(r"^([a-zA-Z0-9._-]+==[^\s;\\]+)", file.read_text("utf-8"), re.MULTILINE))


def digest_of(file: Path) -> str:
    """SHA-256 of the file's bytes."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def install_python(roster: Roster, requirements: str) -> None:
    """Make .venv where there is none and install a requirements file, every hash checked."""
    file = REQUIREMENTS / requirements
    if not PYTHON.exists():
        venv = (sys.executable, "-m", "venv", "--clear", str(VENV))
        roster.run(Command(name="venv", argv=venv, folder=ROOT), timeout=TIMEOUT)
    pip = (str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-input")
    install = (*pip, "--require-hashes", "-r", str(file))
    roster.fetch(Command(name="pip", argv=install, folder=ROOT), timeout=TIMEOUT)
    STAMP.write_text(json.dumps({requirements: digest_of(file)}) + "\n", encoding="utf-8")


@contextmanager
def _alone() -> Iterator[None]:
    """Two commands at once (`make lint` beside `make test`) do not install into one folder."""
    folder = MAILBOX_PROGRAMS.parent
    folder.mkdir(exist_ok=True)
    with (folder / "install.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(console: Console, step: Step) -> None:
    with console.step(step[0]):
        step[1]()
