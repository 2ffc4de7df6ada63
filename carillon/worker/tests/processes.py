"""Worker processes under a test's control."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import redis

from carillon.worker.dedupe import PRESENCE_PREFIX

ROOT = Path(__file__).resolve().parents[3]


class WorkerProcess:
    """One run of `carillon.worker.tests.process`; killed at the end at the latest."""

    def __init__(self, folder: Path, redis_url: str, rabbitmq_url: str, **environment: str) -> None:
        self.log = folder / "worker.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "carillon.worker.tests.process"],
                cwd=ROOT,
                env={
                    **os.environ,
                    # Only the platform's own providers: nobody asks for accounts.
                    "GATEWAY_URL": "",
                    "REDIS_URL": redis_url,
                    "RABBITMQ_URL": rabbitmq_url,
                    "LEDGER": str(folder / "ledger"),
                    "EMAIL_PROVIDERS": "ledger",
                    "EMAIL_WORKER_PORT": "0",
                    "PUSH_PROVIDERS": "ledger",
                    "PUSH_WORKER_PORT": "0",
                    "EMAIL_WORKER_PREFETCH": "30",
                    # What a killed parent leaves behind stays in the test's folder.
                    "TMPDIR": str(folder),
                    **environment,
                },
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(60)

    @property
    def pid(self) -> int:
        """The process, or the parent where there are several."""
        return self._process.pid

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait(60)

    def terminate(self, timeout: float = 60.0) -> int:
        """SIGTERM: the exit status. Raises TimeoutExpired."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout)

    def wait(self, timeout: float = 60.0) -> int:
        """The exit status, once it ends by itself."""
        return self._process.wait(timeout)


class Ledger:
    """What the provider knows."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ledger"

    def lines(self, what: str) -> list[str]:
        """Message ids that were "called" or "accepted", in order."""
        if not self._path.exists():
            return []
        words = (line.split() for line in self._path.read_text().splitlines())
        return [message_id for kind, message_id in words if kind == what]

    @property
    def accepted(self) -> Counter[str]:
        """How often each message was accepted."""
        return Counter(self.lines("accepted"))

    def open_gate(self) -> None:
        """Let go of the messages that were told to hold."""
        self._path.with_suffix(".open").touch()


def forget_the_dead(redis_url: str) -> None:
    """Let the presence of killed processes expire at once."""
    with redis.Redis.from_url(redis_url) as client:
        for key in client.scan_iter(f"{PRESENCE_PREFIX}*"):
            client.delete(key)
