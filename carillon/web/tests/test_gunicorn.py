"""A web service's processes, as gunicorn starts them with our configuration."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

CPUS = sorted(os.sched_getaffinity(0))[:2]
BOTH = tuple(CPUS)
_LOADED = re.compile(r"loaded in (\d+)")

pytestmark = pytest.mark.skipif(len(CPUS) < 2, reason="there is one CPU to stay on")


class Server:
    """gunicorn on two CPUs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def next_process(self) -> tuple[int, tuple[int, ...]]:
        """The one that starts next, and the CPUs that it may run on."""
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
def started(processes: int, **settings: str) -> Iterator[Server]:
    """So many processes of a small program."""
    gunicorn = ("-m", "gunicorn", "-c", "python:carillon.web.gunicorn", "--bind=127.0.0.1:0")
    with subprocess.Popen(
        [sys.executable, *gunicorn, "carillon.web.tests.announcing_app"],
        env={"PATH": os.environ["PATH"], "WEB_CONCURRENCY": str(processes), **settings},
        preexec_fn=lambda: os.sched_setaffinity(0, CPUS),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Server(process)
        finally:
            process.terminate()


def test_each_process_stays_on_one_cpu() -> None:
    with started(4) as server:
        spread = Counter(server.processes(4).values())
    assert spread == {(cpu,): 2 for cpu in CPUS}


def test_a_new_process_takes_the_cpu_of_the_one_that_died() -> None:
    with started(3) as server:
        processes = server.processes(3)
        spread = Counter(processes.values())
        (alone,) = (pid for pid, cpus in processes.items() if spread[cpus] == 1)
        os.kill(alone, signal.SIGKILL)
        assert server.next_process()[1] == processes[alone]


def test_with_fewer_processes_than_cpus_none_is_bound() -> None:
    with started(1) as server:
        assert server.next_process()[1] == BOTH


def test_none_is_bound_where_the_operator_says_so() -> None:
    with started(2, WEB_PIN_PROCESSES="false") as server:
        assert set(server.processes(2).values()) == {BOTH}
