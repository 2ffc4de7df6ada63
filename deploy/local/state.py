"""What is running, on disk: for `make status` and `make stop`, and for a run after a crash."""

import fcntl
import json
import os
import threading
from dataclasses import asdict, dataclass, field
from io import TextIOWrapper
from pathlib import Path

from deploy.local.child import Child
from deploy.local.identity import ProcessIdentity, identify
from deploy.local.paths import StackFolder
from deploy.local.private_files import write_private


@dataclass(frozen=True, slots=True)
class RecordedChild:
    """A process that the stack started, with what is needed to end it without its supervisor."""

    name: str
    pid: int
    started: str
    stop_signal: int
    grace: float
    layer: int

    @property
    def identity(self) -> ProcessIdentity:
        """Tells it from a later process of the same number."""
        return ProcessIdentity(self.pid, self.started)


@dataclass(slots=True)
class State:
    """The stack as it was last recorded; `health` and `places` are URLs by name."""

    begun: float  # seconds since the epoch
    ready: bool = False
    children: list[RecordedChild] = field(default_factory=list)
    health: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)


class StateFile:
    """The state of one run; every change is written at once, whole. Thread-safe."""

    def __init__(self, folder: StackFolder, begun: float) -> None:
        self._path = folder.state
        self._lock = threading.Lock()
        self._state = State(begun=begun)

    def record(self, children: list[Child]) -> None:
        """Remember the children that run now."""
        with self._lock:
            self._state.children = [_recorded(child) for child in children]
            self._write()

    def describe(self, *, health: dict[str, str], places: dict[str, str]) -> None:
        """Remember where the processes' health and the platform's pages are."""
        with self._lock:
            self._state.health, self._state.places = health, places
            self._write()

    def set_ready(self) -> None:
        """Remember that every process was up and the demo done."""
        with self._lock:
            self._state.ready = True
            self._write()

    def _write(self) -> None:
        write_private(self._path, json.dumps(asdict(self._state), indent=1) + "\n")


def load(path: Path) -> State | None:
    """The recorded state; None where there is none, or one that cannot be read."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        children = [RecordedChild(**child) for child in raw.pop("children")]
        return State(**raw, children=children)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


class StackLock:
    """Held by the one supervisor of a folder; the kernel lets go of it however that ends."""

    def __init__(self, folder: StackFolder) -> None:
        self._path = folder.lock
        self._file: TextIOWrapper | None = None

    def acquire(self) -> bool:
        """False where another process holds it; else it is ours until we end or release it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        file.truncate(0)
        own = identify(os.getpid())
        file.write(json.dumps(asdict(own)) if own else "")
        file.flush()
        self._file = file
        return True

    def release(self) -> None:
        """Let the next one have it."""
        if self._file:
            self._file.close()
            self._file = None


def supervisor_of(folder: StackFolder) -> ProcessIdentity | None:
    """The process that runs the stack in `folder` now; None where none does."""
    try:
        with folder.lock.open(encoding="utf-8") as file:
            try:
                # Shared, and for an instant: two that ask at once do not take it for held.
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                return None
            identity = ProcessIdentity(**json.loads(file.read()))
    except (OSError, ValueError, TypeError):
        return None
    return identity if identity.alive else None


def _recorded(child: Child) -> RecordedChild:
    return RecordedChild(
        name=child.name,
        pid=child.pid,
        started=child.identity.started,
        stop_signal=int(child.command.stop_signal),
        grace=child.command.grace,
        layer=int(child.command.layer),
    )
