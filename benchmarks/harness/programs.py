"""The programs that are needed to measure, kept below .local/benchmarks and installed nowhere."""

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.child import Command
from deploy.local.console import Console
from deploy.local.debian_packages import can_unpack, library_path, unpack
from deploy.local.errors import StackError
from deploy.local.paths import ROOT
from deploy.local.roster import Roster

FOLDER = ROOT / ".local" / "benchmarks"
VENV = FOLDER / "venv"
PEERS_PYTHON = VENV / "bin" / "python"
PEERS = ROOT / "benchmarks" / "peers"
REQUIREMENTS = ROOT / "requirements" / "benchmarks.txt"
STAMP = FOLDER / "installed"
TIMEOUT = 900  # seconds for pip


@dataclass(frozen=True, slots=True)
class Program:
    """A program of a Debian package."""

    name: str
    package: str
    path: str

    @property
    def folder(self) -> Path:
        """Where its package and what that needs are opened."""
        return FOLDER / "debian" / self.package

    @property
    def file(self) -> Path:
        """This machine's own, else the one that was fetched."""
        own = shutil.which(self.name)
        return Path(own) if own else self.folder / self.path

    def environment(self) -> dict[str, str]:
        """What it needs to find its libraries."""
        if shutil.which(self.name):
            return dict(os.environ)
        return {**os.environ, "LD_LIBRARY_PATH": library_path(self.folder)}


WRK = Program("wrk", "wrk", "usr/bin/wrk")
SMTP_SINK = Program("smtp-sink", "postfix", "usr/sbin/smtp-sink")


def prepare(roster: Roster, console: Console) -> None:
    """Fetch what is missing. Raises StackError."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with _alone():
        for program in (WRK, SMTP_SINK):
            if not program.file.exists():
                with console.step(f"Fetching {program.name} out of Debian's {program.package}"):
                    _fetch(program)
        if not _peers_are_installed():
            with console.step("Installing the peers' Python packages into .local/benchmarks"):
                _install_peers(roster)


def _fetch(program: Program) -> None:
    if not can_unpack():
        raise StackError(
            f"{program.name} is not on PATH, and there is no apt-get to fetch it with. "
            f"Install it with this system's own packages ({program.package} in Debian)."
        )
    folder = program.folder
    folder.parent.mkdir(exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as temporary:
        unpack(program.package, Path(temporary), depends=True)
        os.replace(temporary, folder)
        Path(temporary).mkdir()  # for TemporaryDirectory to delete
    # The sink drops its rights before its libraries are read again.
    folder.chmod(0o755)


def _peers_are_installed() -> bool:
    return STAMP.is_file() and STAMP.read_text(encoding="utf-8") == REQUIREMENTS.read_text("utf-8")


def _install_peers(roster: Roster) -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    venv = (sys.executable, "-m", "venv", str(VENV))
    roster.run(Command(name="peers-venv", argv=venv, folder=FOLDER), timeout=TIMEOUT)
    pip = (str(PEERS_PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check")
    install = (*pip, "--require-hashes", "-r", str(REQUIREMENTS))
    roster.fetch(Command(name="peers-pip", argv=install, folder=FOLDER), timeout=TIMEOUT)
    STAMP.write_text(REQUIREMENTS.read_text(encoding="utf-8"), encoding="utf-8")


@contextmanager
def _alone() -> Iterator[None]:
    """Two runs at once fetch everything once."""
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
