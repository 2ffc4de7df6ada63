"""Installs the mailbox to look at: MailDev with Node, sendria where there is none."""

import shutil
import subprocess
import sys
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.paths import MAILBOX_PROGRAMS, ROOT
from deploy.local.programs import find_node

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


def install_mailbox() -> None:
    """Install MailDev, or sendria where npm is absent or fails; raises StackError if both fail."""
    shutil.rmtree(MAILBOX_PROGRAMS, ignore_errors=True)
    MAILBOX_PROGRAMS.mkdir(parents=True)
    node = find_node()
    problem = _install_maildev(node[1]) if node else "Node.js was not found"
    if problem:
        _install_sendria(problem)
    STAMP.write_text(_wanted(), encoding="utf-8")


def _wanted() -> str:
    lock = (SOURCE / "package-lock.json").read_text(encoding="utf-8")
    return lock + SENDRIA_REQUIREMENTS.read_text(encoding="utf-8")


def _install_maildev(npm: Path) -> str:
    """Empty on success, else why not."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCE / name, MAILBOX_PROGRAMS / name)
    # No package's install script runs: MailDev needs none, and they are npm's usual way to be had.
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"]
    return _run([str(npm), "ci", *options])


def _install_sendria(why: str) -> None:
    folder = MAILBOX_PROGRAMS / "venv"
    problem = _run([sys.executable, "-m", "venv", str(folder)])
    if not problem:
        pip = [str(folder / "bin" / "pip"), "install", "-q", "--disable-pip-version-check"]
        problem = _run([*pip, "--require-hashes", "-r", str(SENDRIA_REQUIREMENTS)])
    if problem:
        raise StackError(
            f"Neither MailDev ({why}) nor sendria ({problem}) could be installed as the mailbox. "
            "Set SMTP_URL to a mail server of yours to do without one."
        )


def _run(command: list[str]) -> str:
    result = subprocess.run(
        command,
        cwd=MAILBOX_PROGRAMS,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    return "" if result.returncode == 0 else result.stderr.strip()[-500:] or "it failed silently"
