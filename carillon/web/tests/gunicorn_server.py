"""A small program's processes, as gunicorn starts them with our configuration."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

_LOADED = re.compile(r"loaded in (\d+)")


class Server:
    """gunicorn, which runs `small_app`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def next_process(self) -> tuple[int, tuple[int, ...]]:
        """The one that has loaded the program next, and the CPUs that it may run on."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if found := _LOADED.fullmatch(line.strip()):
                pid = int(found[1])
                return pid, tuple(sorted(os.sched_getaffinity(pid)))
        pytest.fail("gunicorn has ended")

    def processes(self, count: int) -> dict[int, tuple[int, ...]]:
        """The next `count` of them."""
        return dict(self.next_process() for _ in range(count))


@contextmanager
def started(
    processes: int,
    *,
    bind: str = "127.0.0.1:0",
    cpus: Sequence[int] | None = None,
    **settings: str,
) -> Iterator[Server]:
    """So many processes, on `cpus` or on all; they have ended afterwards."""
    gunicorn = ("-m", "gunicorn", "-c", "python:carillon.web.gunicorn", f"--bind={bind}")
    allowed = os.sched_getaffinity(0) if cpus is None else cpus
    with subprocess.Popen(
        [sys.executable, *gunicorn, "carillon.web.tests.small_app"],
        env={"PATH": os.environ["PATH"], "WEB_CONCURRENCY": str(processes), **settings},
        preexec_fn=lambda: os.sched_setaffinity(0, allowed),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Server(process)
        finally:
            process.terminate()
