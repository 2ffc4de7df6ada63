"""Everything that one run started, so that everything can be ended."""

import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from deploy.local.child import Child, Command, Layer, OnLine
from deploy.local.downloads import persist
from deploy.local.errors import StackError
from deploy.local.identity import MARK

# Called after each start and end with all children that are now in the roster.
Recorder = Callable[[list[Child]], None]


class Roster:
    """Starts children, remembers them, and ends them, layer by layer, from the top.

    Thread-safe. Once closed it starts nothing more, so that a thread that was about to start
    something while the stack is being stopped cannot leave it behind.
    """

    def __init__(
        self,
        folder: Path,
        logs: Path,
        *,
        record: Recorder | None = None,
        on_line: OnLine | None = None,
    ) -> None:
        self.folder = folder
        self.logs = logs
        self._record = record
        self._on_line = on_line
        self._children: dict[str, Child] = {}
        self._lock = threading.RLock()
        self._closed = threading.Event()
        logs.mkdir(parents=True, exist_ok=True)

    @property
    def closed(self) -> bool:
        """True once everything is being stopped."""
        return self._closed.is_set()

    def wait_closed(self) -> None:
        """Return once everything is being stopped."""
        self._closed.wait()

    def children(self) -> list[Child]:
        """All children that were started and not stopped by us, in the order of their start."""
        with self._lock:
            return list(self._children.values())

    def start(self, command: Command, *, show: bool = True) -> Child:
        """Start a process; raises StackError where that fails or the roster is closed.

        What is left of an ended process of the same name is ended first. `show` False keeps its
        output in its log alone.
        """
        marked = replace(command, environment={**command.environment, MARK: str(self.folder)})
        with self._lock:
            if self.closed:
                raise StackError(f"{command.name} is not started: the stack is being stopped")
            before = self._children.get(command.name)
            if before:
                before.kill()
            log = self.logs / f"{command.name}.log"
            child = Child(marked, log, self._on_line if show else None)
            self._children[command.name] = child
            self._changed()
        return child

    def restart(self, ended: Child) -> Child | None:
        """Start again, as before, what has ended; None where it was stopped on purpose since."""
        with self._lock:
            if self.closed or not ended.ended_by_itself:
                return None
            ended.kill()
            again = ended.again()
            self._children[ended.name] = again
            self._changed()
        return again

    def stop(self, name: str) -> None:
        """Stop one child (see `Child.stop`); nothing where there is none."""
        self._end(name, Child.stop)

    def kill(self, name: str) -> None:
        """SIGKILL one child; nothing where there is none."""
        self._end(name, Child.kill)

    def run(self, command: Command, *, timeout: float) -> None:
        """Run a process to its end; raises StackError, with the end of its log, if it fails."""
        child = self.start(command, show=False)
        try:
            code = child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise StackError(f"{command.name} took more than {timeout:.0f} s") from None
        finally:
            self.stop(command.name)
        if code != 0:
            raise StackError(f"{command.name} failed with exit code {code}:\n{child.last_words()}")

    def fetch(self, command: Command, *, timeout: float) -> None:
        """As `run`, of what downloads something: tried again a few times where it fails."""
        persist(lambda: self.run(command, timeout=timeout), StackError, self._closed.wait)

    def stop_all(self) -> None:
        """Close the roster and end every child; bounded by each layer's longest grace."""
        with self._lock:
            self._closed.set()
        for layer in sorted(Layer, reverse=True):
            names = [child.name for child in self.children() if child.command.layer == layer]
            with ThreadPoolExecutor(max_workers=max(len(names), 1)) as pool:
                list(pool.map(self.stop, names))

    def kill_all(self) -> None:
        """Close the roster and SIGKILL every child at once."""
        with self._lock:
            self._closed.set()
        for child in self.children():
            self.kill(child.name)

    def _end(self, name: str, how: Callable[[Child], None]) -> None:
        # Not under the lock: it may take the whole grace. The child stays in the roster until it
        # has ended, so that whoever loses patience can still kill it.
        while child := self._children.get(name):
            how(child)
            with self._lock:
                # Another one in its place was started again meanwhile: that one is meant as well.
                if self._children.get(name) is child:
                    del self._children[name]
                    self._changed()

    def _changed(self) -> None:
        if self._record:
            self._record(list(self._children.values()))
