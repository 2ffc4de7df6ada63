"""On which CPUs a web service's processes run."""

import os
import signal
from collections import Counter

import pytest

from carillon.web.tests.gunicorn_server import started

CPUS = sorted(os.sched_getaffinity(0))[:2]
BOTH = tuple(CPUS)

pytestmark = pytest.mark.skipif(len(CPUS) < 2, reason="there is one CPU to stay on")


def test_each_process_stays_on_one_cpu() -> None:
    with started(4, cpus=CPUS) as server:
        spread = Counter(server.processes(4).values())
    assert spread == {(cpu,): 2 for cpu in CPUS}


def test_a_new_process_takes_the_cpu_of_the_one_that_died() -> None:
    with started(3, cpus=CPUS) as server:
        processes = server.processes(3)
        spread = Counter(processes.values())
        (alone,) = (pid for pid, cpus in processes.items() if spread[cpus] == 1)
        os.kill(alone, signal.SIGKILL)
        assert server.next_process()[1] == processes[alone]


def test_with_fewer_processes_than_cpus_none_is_bound() -> None:
    with started(1, cpus=CPUS) as server:
        assert server.next_process()[1] == BOTH


def test_none_is_bound_where_the_operator_says_so() -> None:
    with started(2, cpus=CPUS, WEB_PIN_PROCESSES="false") as server:
        assert set(server.processes(2).values()) == {BOTH}
