"""Several processes of one worker: started, watched, replaced when they die, stopped together.

Python runs one thread at a time: a worker whose provider answers in less than a millisecond needs
processes, not threads, to use a second core. Each child is the same command again; it reports the
port of its own health server through a pipe, ends when its standard input ends (so that none
outlives its parent), and keeps its metrics where the parent can sum them.
"""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

import msgspec
import structlog
from prometheus_client import multiprocess

from carillon.observability.health import Check, HealthChecks
from carillon.observability.server import OperationsServer
from carillon.worker.settings import WorkerSettings

log = structlog.get_logger(__name__)

PORT_FD = "CARILLON_WORKER_PORT_FD"
METRICS_DIR = "PROMETHEUS_MULTIPROC_DIR"
DEPENDENCIES = ("redis", "rabbitmq")

LOOK_EVERY_SECONDS = 0.5
ASK_SECONDS = 2.0
START_SECONDS = 30.0
# A process that lived for a minute is started again at once; one that keeps dying, ever later.
STEADY_SECONDS = 60.0
BACKOFF_SECONDS = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)


def is_child() -> bool:
    """True in a process that `ProcessGroup` started."""
    return PORT_FD in os.environ


def report_port(port: int) -> None:
    """Tell the parent where this child's health is."""
    with os.fdopen(int(os.environ[PORT_FD]), "w") as pipe:
        pipe.write(f"{port}\n")


def stop_with_parent(stop: threading.Event) -> None:
    """Set `stop` when the parent is gone."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(sys.stdin.fileno(), 64):
                pass
        stop.set()

    threading.Thread(target=watch, name="parent", daemon=True).start()


class Child:
    """One process and what is known of it."""

    def __init__(self, command: list[str]) -> None:
        read, write = os.pipe()
        self.started_at = time.monotonic()
        self._port = 0
        try:
            self.process = subprocess.Popen(
                command,
                env={**os.environ, PORT_FD: str(write)},
                stdin=subprocess.PIPE,
                pass_fds=(write,),
            )
        except BaseException:
            os.close(read)
            raise
        finally:
            os.close(write)
        self._reader = threading.Thread(target=self._read_port, args=(read,), daemon=True)
        self._reader.start()

    def ask(self, path: str) -> tuple[int, Any]:
        """Status and body of the child's health. Raises OSError, also before it has started."""
        if not self._port:
            raise ConnectionError("not started")
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ASK_SECONDS)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, msgspec.json.decode(response.read())
        except (http.client.HTTPException, msgspec.MsgspecError) as error:
            raise ConnectionError(type(error).__name__) from error
        finally:
            connection.close()

    @property
    def starting(self) -> bool:
        """True for a while, until its health can be asked."""
        return not self._port and time.monotonic() - self.started_at < START_SECONDS

    def alive(self) -> bool:
        """False where it has ended or says that it is stuck."""
        if self.process.poll() is not None:
            return False
        try:
            return self.starting or self.ask("/health/live/")[0] == 200
        except OSError:
            return False

    def close(self) -> None:
        """Let go of an ended process."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self._reader.join(1.0)

    def _read_port(self, read: int) -> None:
        with os.fdopen(read) as pipe:
            line = pipe.readline().strip()
        if line.isdecimal():
            self._port = int(line)


class ProcessGroup:
    """The parent's work: it takes no job itself."""

    def __init__(self, settings: WorkerSettings, command: list[str] | None = None) -> None:
        """`command` starts a child; by default that is how this process was started."""
        self._settings = settings
        self._command = command or [sys.executable, *sys.orig_argv[1:]]
        self._children: list[Child] = []
        self._deaths = 0

    def run(self, stop: threading.Event) -> int:
        """Keep the processes running until `stop` is set; the worst exit status of them."""
        with tempfile.TemporaryDirectory(prefix=f"{self._settings.worker}-metrics-") as metrics_dir:
            os.environ[METRICS_DIR] = metrics_dir
            health = HealthChecks(self._settings.worker, self.checks())
            with OperationsServer(
                host=self._settings.host,
                port=self._settings.port,
                health=health,
                alive=self.alive,
            ) as server:
                log.info("processes started", count=self._settings.processes, port=server.port)
                self._children = [Child(self._command) for _ in range(self._settings.processes)]
                while not stop.wait(LOOK_EVERY_SECONDS):
                    self._replace_the_dead(stop)
                return self._stop()

    def alive(self) -> bool:
        """True where every process is."""
        return bool(self._children) and all(child.alive() for child in self._children)

    def checks(self) -> dict[str, Check]:
        """Each dependency, as the processes see it: unhealthy where one of them says so."""
        return {name: self._check(name) for name in DEPENDENCIES}

    def _check(self, name: str) -> Check:
        def check() -> None:
            if not self._children:
                raise ConnectionError("not started")
            for child in self._children:
                _, body = child.ask("/health/")
                if body["checks"][name]["status"] != "healthy":
                    raise ConnectionError(body["checks"][name].get("error", "unhealthy"))

        return check

    def _replace_the_dead(self, stop: threading.Event) -> None:
        for index, child in enumerate(self._children):
            status = child.process.poll()
            if status is None:
                continue
            self._bury(child)
            lived = time.monotonic() - child.started_at
            self._deaths = 0 if lived >= STEADY_SECONDS else self._deaths + 1
            pause = BACKOFF_SECONDS[min(self._deaths, len(BACKOFF_SECONDS) - 1)]
            log.error("a process died", status=status, lived=round(lived, 1), restart_in=pause)
            if not stop.wait(pause):
                self._children[index] = Child(self._command)

    def _stop(self) -> int:
        """Hand the signal on, and wait; nobody is waited for longer than a stop may take."""
        for child in self._children:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + self._settings.stop_seconds + 1.0
        return max((self._wait(child, deadline) for child in self._children), default=0)

    def _wait(self, child: Child, deadline: float) -> int:
        try:
            status = child.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.error("a process does not end, killing it", pid=child.process.pid)
            child.process.kill()
            status = child.process.wait()
        self._bury(child)
        # Stopped before it could listen to signals, and so before it began anything.
        return 0 if status == -signal.SIGTERM else abs(status)

    @staticmethod
    def _bury(child: Child) -> None:
        multiprocess.mark_process_dead(child.process.pid)  # type: ignore[no-untyped-call]
        child.close()
