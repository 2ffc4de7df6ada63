"""What the private servers have in common: start, wait, stop, kill, start again."""

import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from deploy.local.child import Child, Command, tail
from deploy.local.console import Console
from deploy.local.errors import StackError
from deploy.local.ports import private_port
from deploy.local.roster import Roster

START_TIMEOUT = 180.0  # seconds; RabbitMQ needs 6 here, and several times that on a busy laptop
POLL = 0.05  # seconds between two looks at a server that is starting


class Server(ABC):
    """One private server on a free port of loopback, with all of its data in one folder.

    Usable as a context manager. `start` after `stop` or `kill` brings back the same data on the
    same port. `durable` False trades what a power cut would lose for speed: for tests.
    """

    name: ClassVar[str]

    def __init__(
        self, folder: Path, *, roster: Roster, password: str, durable: bool = True
    ) -> None:
        self.folder = folder
        self.port = private_port()
        self._roster = roster
        self._password = password
        self._durable = durable
        self._child: Child | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address with the password, as the settings take it."""

    @abstractmethod
    def prepare(self) -> None:
        """Make the data folder and the configuration; does nothing harmful to what exists."""

    @abstractmethod
    def command(self) -> Command:
        """The server in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """True once a client is served."""

    @property
    def pid(self) -> int:
        """The running server's process; raises StackError while there is none."""
        if self._child is None or self._child.returncode is not None:
            raise StackError(f"{self.name} is not running")
        return self._child.pid

    def start(self, timeout: float = START_TIMEOUT) -> None:
        """Start and wait until it serves; raises StackError with the end of its log."""
        self.prepare()
        self._child = self.launch()
        self._await(self._child, timeout)

    def launch(self) -> Child:
        """Start the process, and whatever must run before it."""
        return self._roster.start(self.command(), show=False)

    def stop(self) -> None:
        """Stop in an orderly way, and by force after the command's grace."""
        self._roster.stop(self.name)

    def kill(self) -> None:
        """End at once, as a crash would."""
        self._roster.kill(self.name)

    def _await(self, child: Child, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not self.answers():
            if child.returncode is not None:
                raise StackError(f"{self.name} ended while it started:\n{child.last_words()}")
            if time.monotonic() > deadline:
                self.stop()
                raise StackError(
                    f"{self.name} did not answer within {timeout:.0f} s:\n{tail(child.log)}"
                )
            time.sleep(POLL)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start_server(server: Server, console: Console) -> None:
    """Start one server, and say so."""
    with console.step(f"Starting a private {server.name} on port {server.port}"):
        server.start()
