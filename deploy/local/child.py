"""One process that the local stack started, its output, and its end."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import IO, TypedDict

from deploy.local.errors import StackError
from deploy.local.identity import ProcessIdentity, identify

# A log grows to this many bytes, then becomes NAME.log.1: a stack left running fills no disk.
LOG_LIMIT = 50 * 1024 * 1024
# Seconds: bounds of what takes an instant unless the machine is very busy.
KILLED = 60.0
LAST_WORDS = 5.0

OnLine = Callable[[str, bytes], None]


class Layer(IntEnum):
    """What stands on what: the higher is started later and stopped earlier."""

    FOUNDATION = 0  # RabbitMQ's epmd, which must outlive RabbitMQ
    SERVER = 1
    PLATFORM = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How to start one process, and how to end it.

    `grace` is the time in seconds between `stop_signal` and SIGKILL. `environment` is all that
    the process gets. `user` (only as root) is the account that it runs under.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    folder: Path
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    layer: Layer = Layer.PLATFORM


class Account(TypedDict, total=False):
    """Whom a process runs as."""

    user: str
    group: str
    extra_groups: tuple[str, ...]


class Child:
    """A started process, in a session of its own so that Ctrl-C reaches its supervisor alone."""

    def __init__(self, command: Command, log: Path, on_line: OnLine | None = None) -> None:
        self.command = command
        self.log = log
        self._on_line = on_line
        self._told_to_end = False
        try:
            # The output is read by a thread of ours rather than written to a file by the child:
            # one reader both keeps the log and shows the line.
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                command.argv,
                env=dict(command.environment),
                cwd=command.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **account(command.user),
            )
        except OSError as error:
            raise StackError(f"{command.name} cannot be started: {error}") from error
        self.identity = identify(self.pid) or ProcessIdentity(self.pid, "")
        self._pump = threading.Thread(target=self._keep_output, daemon=True)
        self._pump.start()

    def again(self) -> "Child":
        """Another process like this one, with the same log."""
        return Child(self.command, self.log, self._on_line)

    @property
    def name(self) -> str:
        """The name in the process table."""
        return self.command.name

    @property
    def pid(self) -> int:
        """The process number, which is also its session's and group's."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.poll()

    @property
    def ended_by_itself(self) -> bool:
        """True where it has ended and nobody here asked for that."""
        return self.returncode is not None and not self._told_to_end

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code; raises subprocess.TimeoutExpired after `timeout` seconds."""
        code = self._process.wait(timeout)
        self._hear_out()
        return code

    def last_words(self) -> str:
        """The end of its log; of one that has ended, all that it said is there."""
        if self.returncode is not None:
            self._hear_out()
        return tail(self.log)

    def stop(self) -> None:
        """End it: its stop signal, `grace` seconds, then SIGKILL for what is left of its group."""
        self._told_to_end = True
        if self.returncode is None:
            self._process.send_signal(self.command.stop_signal)
            try:
                self._process.wait(self.command.grace)
            except subprocess.TimeoutExpired:
                self.kill()
        self._end_group()
        self._hear_out()

    def kill(self) -> None:
        """SIGKILL the whole group at once; returns when it is gone."""
        self._told_to_end = True
        self._end_group()
        self._process.wait(KILLED)
        self._hear_out()

    def _hear_out(self) -> None:
        """Until nobody has its output open: those that it started may end after it.

        Such are PostgreSQL's, each in a session of its own, which hold the memory that the next
        server would share.
        """
        self._pump.join(timeout=LAST_WORDS)

    def _end_group(self) -> None:
        now = identify(self.pid)
        if now is not None and now != self.identity:
            return  # ours is long gone, and the number was given to a stranger
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return  # nothing is left of it (macOS says EPERM for a group of corpses)

    def _keep_output(self) -> None:
        output: IO[bytes] = self._process.stdout  # type: ignore[assignment]
        file = self.log.open("ab")
        try:
            for line in iter(output.readline, b""):
                file.write(line)
                file.flush()
                if file.tell() > LOG_LIMIT:
                    file.close()
                    self.log.replace(self.log.with_suffix(".log.1"))
                    file = self.log.open("ab")
                if self._on_line:
                    self._on_line(self.name, line)
        finally:
            file.close()
            output.close()


def account(user: str | None) -> Account:
    """The options of subprocess that run a program as `user` (only root can), in no other group."""
    return Account() if user is None else Account(user=user, group=user, extra_groups=())


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log, indented, to be shown with an error."""
    if not log.is_file():
        return ""
    text = log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
    return "\n".join(f"    {line}" for line in text)
