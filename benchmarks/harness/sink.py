"""A mail server that takes everything at once: postfix's smtp-sink, which counts out loud."""

import os
import re
import subprocess
import threading
import time
from collections.abc import Callable
from typing import IO

from benchmarks.harness.programs import SMTP_SINK
from deploy.local.errors import StackError
from deploy.local.ports import HOST, accepts, private_port

ACCOUNT = "nobody"  # smtp-sink will not run as root
BACKLOG = 1000
START_TIMEOUT = 60.0  # seconds
TICK = 1e-6  # seconds
SKIPPED = 0.1
"""The share of a crowd of mails whose time is not taken: who sends them has only just begun."""

_COUNT = re.compile(rb"mesg=(\d+)\r")


class Sink:
    """Counts mails and remembers when each came; a context manager.

    No wait outlasts `stopped`: who would have sent is gone by then.
    """

    def __init__(self, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped
        self.port = private_port()
        self._times: list[float] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """As SMTP_URL."""
        return f"smtp://{HOST}:{self.port}"

    @property
    def count(self) -> int:
        """Mails so far."""
        return len(self._times)

    def __enter__(self) -> "Sink":
        user = ("-u", ACCOUNT) if os.geteuid() == 0 else ()
        self._process = subprocess.Popen(
            [str(SMTP_SINK.file), "-c", *user, f"{HOST}:{self.port}", str(BACKLOG)],
            env=SMTP_SINK.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        output = self._process.stdout
        assert output
        threading.Thread(target=self._read, args=(output,), daemon=True).start()
        deadline = time.monotonic() + START_TIMEOUT
        while not accepts(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise StackError("smtp-sink did not start")
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(10)

    def rate(self, before: int, mails: int, timeout: float) -> float:
        """Mails a second of the `mails` that follow the first `before`, but for the first tenth.

        Waits for all of them. Raises StackError after `timeout` seconds.
        """
        self.wait_for(before + mails, timeout)
        first = before + int(mails * SKIPPED)
        last = before + mails - 1
        # Those that were read in one go came in less than the clock's tick.
        return (last - first) / max(self._times[last] - self._times[first], TICK)

    def wait_for(self, count: int, timeout: float) -> None:
        """Until so many have come in all. Raises StackError."""
        deadline = time.monotonic() + timeout
        while len(self._times) < count:
            if self._stopped():
                raise StackError("stopped")
            if time.monotonic() > deadline:
                raise StackError(
                    f"{len(self._times):,} of {count:,} mails came within {timeout:.0f} s"
                )
            time.sleep(0.01)

    def wait_quiet(self, seconds: float, timeout: float) -> None:
        """Until nothing has come for so long. Raises StackError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        seen, since = self.count, time.monotonic()
        while time.monotonic() - since < seconds:
            if time.monotonic() > deadline:
                raise StackError(f"mails still come after {timeout:.0f} s")
            time.sleep(0.05)
            if self.count != seen:
                seen, since = self.count, time.monotonic()

    def _read(self, output: IO[bytes]) -> None:
        rest = b""
        while chunk := os.read(output.fileno(), 65536):
            now = time.monotonic()
            whole, end, rest = (rest + chunk).rpartition(b"\r")
            counts = _COUNT.findall(whole + end)
            if counts:
                self._times += [now] * (int(counts[-1]) - len(self._times))
