"""The platform's eight processes and its mailbox, on servers that run already.

`make run` starts one; a test may start its own, on ports of its own:

    platform = Platform(folder, roster=roster, settings=settings, ports=private_ports())
    platform.start(console)
    platform.kill("email_worker")
    platform.start_process("email_worker")
"""

import shutil
import time
from collections.abc import Callable, Mapping

from deploy.local.child import Child, Layer, tail
from deploy.local.console import Console
from deploy.local.environment import child_environment
from deploy.local.errors import StackError
from deploy.local.health import wait_for
from deploy.local.paths import StackFolder
from deploy.local.ports import allot, chosen_port, private_port
from deploy.local.processes import PROCESSES, PlatformProcess
from deploy.local.roster import Roster

START_TIMEOUT = 240.0  # seconds; two cores import Django a dozen times over


def preferred_ports(given: Mapping[str, str]) -> dict[str, int]:
    """For each process its <NAME>_PORT or the table's, or the next free one."""
    return allot({p.name: chosen_port(p.name, p.port, given) for p in PROCESSES.values()})


def private_ports() -> dict[str, int]:
    """For each process a free port of its own that nobody else would choose."""
    return {name: private_port() for name in PROCESSES}


class Platform:
    """Starts, stops and restarts the processes of the table, all with the same settings."""

    def __init__(
        self,
        folder: StackFolder,
        *,
        roster: Roster,
        settings: Mapping[str, str],
        ports: Mapping[str, int],
        table: Mapping[str, PlatformProcess] = PROCESSES,
    ) -> None:
        self._folder = folder
        self._roster = roster
        self._environment = child_environment(settings)
        self._table = table
        self.ports = ports

    def url(self, name: str) -> str:
        """The address of a process's HTTP server."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def health(self, kind: str = "live") -> dict[str, str]:
        """Each process's health URL."""
        return {p.name: p.health_url(self.ports[p.name], kind) for p in self._table.values()}

    def start(self, console: Console, timeout: float = START_TIMEOUT) -> None:
        """Start all processes and wait until each says that it is alive; raises StackError."""
        shutil.rmtree(self._folder.metrics, ignore_errors=True)
        begun = time.monotonic()
        for name in self._table:
            self._launch(name)

        def tell(name: str) -> None:
            console.line(f"    {name} is up ({time.monotonic() - begun:.1f} s)")

        self._wait(self.health(), timeout, tell)

    def start_process(self, name: str, timeout: float = START_TIMEOUT) -> None:
        """Start one process, again or anew, and wait until it is alive; raises StackError."""
        self._launch(name)
        self._wait({name: self.health()[name]}, timeout, lambda _: None)

    def stop(self, name: str) -> None:
        """Stop one process in an orderly way (SIGTERM)."""
        self._roster.stop(name)

    def kill(self, name: str) -> None:
        """SIGKILL one process and its workers."""
        self._roster.kill(name)

    def _launch(self, name: str) -> Child:
        metrics = self._folder.metrics
        # Counters of an earlier process would be summed into this one's.
        shutil.rmtree(metrics / name, ignore_errors=True)
        (metrics / name).mkdir(parents=True)
        command = self._table[name].command(self.ports[name], self._environment, metrics)
        return self._roster.start(command)

    def _wait(self, urls: Mapping[str, str], timeout: float, tell: Callable[[str], None]) -> None:
        def check() -> None:
            for child in self._roster.children():
                # What else the roster's owner runs beside the platform may end when it likes.
                needed = child.name in self._table or child.command.layer < Layer.PLATFORM
                if needed and child.returncode is not None:
                    raise StackError(died(child))

        late = wait_for(urls, timeout=timeout, check=check, tell=tell)
        if late:
            logs = "\n".join(
                f"  {name}:\n{tail(self._roster.logs / f'{name}.log', 10)}" for name in late
            )
            raise StackError(f"Not up after {timeout:.0f} s: {', '.join(late)}\n{logs}")


def died(child: Child) -> str:
    """What to say of a process that ended by itself."""
    code = child.returncode
    how = f"exit code {code}" if code is None or code >= 0 else f"signal {-code}"
    return f"{child.name} ended ({how}). The end of {child.log}:\n{child.last_words()}"
