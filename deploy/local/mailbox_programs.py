"""Installs the mailbox to look at: MailDev with Node, sendria where there is none."""

import shutil
import sys
from pathlib import Path

from deploy.local.child import Command
from deploy.local.errors import StackError
from deploy.local.paths import MAILBOX_PROGRAMS, ROOT
from deploy.local.programs import find_node
from deploy.local.roster import Roster

SOURCE = Path(__file__).with_name("mailbox")
SENDRIA_REQUIREMENTS = ROOT / "requirements" / "mailbox.txt"
TIMEOUT = 600  # seconds

MAILDEV = MAILBOX_PROGRAMS / "node_modules" / "maildev" / "bin" / "maildev"
SENDRIA = MAILBOX_PROGRAMS / "venv" / "bin" / "sendria"
STAMP = MAILBOX_PROGRAMS / "installed"


def mailbox_is_installed() -> bool:
    """True where the programs are those of today's lock files and can be run."""
    usable = SENDRIA.exists() or (MAILDEV.exists() and find_node() is not None)
    return usable and STAMP.is_file() and STAMP.read_text(encoding="utf-8") == _wanted()


def install_mailbox(roster: Roster) -> None:
    """Install MailDev, or sendria where npm is absent or fails; raises StackError if both fail."""
    shutil.rmtree(MAILBOX_PROGRAMS, ignore_errors=True)
    MAILBOX_PROGRAMS.mkdir(parents=True)
    node = find_node()
    if node is None:
        install_sendria(roster)
    else:
        try:
            install_maildev(roster, node[1])
        except StackError as error:
            _install_sendria_after(error, roster)
    STAMP.write_text(_wanted(), encoding="utf-8")


def install_maildev(roster: Roster, npm: Path) -> None:
    """Install what the lock file names, every package's hash checked."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCE / name, MAILBOX_PROGRAMS / name)
    # No package's install script runs: MailDev needs none, and they are a common way in.
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev")
    _run(roster, "npm", str(npm), "ci", *options)


def install_sendria(roster: Roster) -> None:
    """Install sendria into an environment of its own: its pins are not the platform's."""
    folder = MAILBOX_PROGRAMS / "venv"
    _run(roster, "sendria-venv", sys.executable, "-m", "venv", str(folder))
    pip = (str(folder / "bin" / "pip"), "install", "-q", "--disable-pip-version-check")
    _run(roster, "sendria-pip", *pip, "--require-hashes", "-r", str(SENDRIA_REQUIREMENTS))


def _install_sendria_after(problem: StackError, roster: Roster) -> None:
    try:
        install_sendria(roster)
    except StackError as error:
        raise StackError(
            f"Neither MailDev nor sendria could be installed as the mailbox. Set SMTP_URL to a "
            f"mail server of yours to do without one.\n{problem}\n{error}"
        ) from error


def _wanted() -> str:
    lock = (SOURCE / "package-lock.json").read_text(encoding="utf-8")
    return lock + SENDRIA_REQUIREMENTS.read_text(encoding="utf-8")


def _run(roster: Roster, name: str, *argv: str) -> None:
    roster.fetch(Command(name=name, argv=argv, folder=MAILBOX_PROGRAMS), timeout=TIMEOUT)
