"""Where the local stack keeps its things."""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"


@dataclass(frozen=True, slots=True)
class StackFolder:
    """What one stack keeps, under one folder that may be deleted whole."""

    path: Path

    @property
    def env(self) -> Path:
        """Addresses and secrets of the running stack (KEY=value); absent while it is down."""
        return self.path / "env"

    @property
    def secrets(self) -> Path:
        """Secrets and passwords, kept from one run to the next."""
        return self.path / "secrets"

    @property
    def state(self) -> Path:
        """What is running: the supervisor, its children and their addresses."""
        return self.path / "state.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor for as long as it lives."""
        return self.path / "lock"

    @property
    def demo(self) -> Path:
        """The demo organization, its keys and its user."""
        return self.path / "demo.json"

    @property
    def data(self) -> Path:
        """A folder for each private server."""
        return self.path / "data"

    @property
    def logs(self) -> Path:
        """NAME.log for each process."""
        return self.path / "logs"

    @property
    def metrics(self) -> Path:
        """A folder of Prometheus's multiprocess files for each web service."""
        return self.path / "metrics"

    @property
    def mails(self) -> Path:
        """What the mailbox received."""
        return self.path / "mails"


# CARILLON_LOCAL lets a second stack of the same clone live elsewhere: tests start one.
LOCAL = StackFolder(Path(os.environ.get("CARILLON_LOCAL") or ROOT / ".local").resolve())
# Installed once, for every stack of this clone.
MAILBOX_PROGRAMS = ROOT / ".local" / "mailbox"
DOUBLE_PROGRAMS = ROOT / ".local" / "doubles"
