"""Processes that die or are told to end, and jobs that kill."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from carillon.worker.admission import MOST_STARTS
from deploy.local.child import Command
from deploy.local.processes import GRACE, PROCESSES
from tests.end_to_end.faults import evidence
from tests.end_to_end.faults.arena import SERVICES
from tests.end_to_end.faults.crashing_worker import CRASH
from tests.end_to_end.faults.load import Order
from tests.end_to_end.faults.provider import QUICK, Mood
from tests.end_to_end.faults.scenario import Experiment, Inject, Scale, plain
from tests.end_to_end.faults.settings import WORKER_THREADS

# An orderly stop may take so long, by promise.
MOST_SECONDS_TO_STOP = 30.0
POISON_TIMEOUT = 150.0  # seconds
# Times a scenario's count.
MORE_THAN_ENOUGH = 10


def moments(scale: Scale) -> list[float]:
    """When to strike: shares of the load, in the middle of the work."""
    return sorted(random.uniform(0.1, 0.8) for _ in range(scale.kills))


def kill(process: str) -> Inject:
    """SIGKILL a process and start it again, several times."""

    def inject(experiment: Experiment) -> None:
        platform = experiment.arena.stack.platform
        for moment in moments(experiment.scale):
            experiment.strike(moment)
            platform.kill(process)
            if not experiment.scale.patient:
                experiment.arena.let_time_pass()
            platform.start_process(process)

    return inject


@contextmanager
def all_threads_busy(experiment: Experiment) -> Iterator[None]:
    """The provider is just as slow as keeps each thread in the middle of a call."""
    provider = experiment.arena.provider
    provider.slowness = max(QUICK, WORKER_THREADS / experiment.load.rate)
    provider.mood = Mood.SLOW
    try:
        yield
    finally:
        provider.mood = Mood.ACCEPT
        provider.slowness = QUICK


def kill_busy(process: str) -> Inject:
    """The same, with each of its threads in the middle of a call."""

    def inject(experiment: Experiment) -> None:
        with all_threads_busy(experiment):
            kill(process)(experiment)

    return inject


def terminate(process: str) -> Inject:
    """SIGTERM a process under load, let it finish, start it again, several times."""

    def inject(experiment: Experiment) -> None:
        platform = experiment.arena.stack.platform
        longest = 0.0
        for moment in moments(experiment.scale):
            experiment.strike(moment)
            begun = time.monotonic()
            platform.stop(process)
            longest = max(longest, time.monotonic() - begun)
            platform.start_process(process)
        experiment.note(f"ended within {longest:.1f} s")
        assert MOST_SECONDS_TO_STOP < GRACE
        experiment.expect(longest <= MOST_SECONDS_TO_STOP, f"{longest:.1f} s to end")

    return inject


def terminate_busy(process: str) -> Inject:
    """The same, with each of its threads in the middle of a call."""

    def inject(experiment: Experiment) -> None:
        with all_threads_busy(experiment):
            terminate(process)(experiment)

    return inject


def poisoned(code: str, scale: Scale) -> list[Order]:
    """One of them crashes every worker that takes it."""
    orders = plain(code, scale)
    body = {"template_code": code, "variables": {"name": CRASH}}
    orders[scale.count // 2] = Order(f"{code}-poison", body)
    return orders


def beside_the_poison(_scale: Scale) -> int:
    """What the other threads were sending: each time but the last, when it is sent alone."""
    return (MOST_STARTS - 1) * (WORKER_THREADS - 1)


def poison(experiment: Experiment) -> None:
    """A worker that is killed by one job, under a supervisor that starts it again."""
    arena = experiment.arena
    (dead_queue,) = (name for name in evidence.RESTING if name.startswith(evidence.EMAIL))
    before = evidence.depths(arena.rabbitmq.url, (dead_queue,))[dead_queue]
    module = "tests.end_to_end.faults.crashing_worker"
    with arena.replaced("email_worker", "-m", module) as command:
        stop = threading.Event()
        supervisor = threading.Thread(
            target=_keep_running, args=(experiment, command, stop), name="supervisor"
        )
        supervisor.start()
        try:
            experiment.load.wait_until_done(1.0)
            arena.wait_until(
                lambda: evidence.depths(arena.rabbitmq.url, (dead_queue,))[dead_queue] > before,
                POISON_TIMEOUT,
            )
        finally:
            stop.set()
            supervisor.join()
    put_aside = evidence.depths(arena.rabbitmq.url, (dead_queue,))[dead_queue] - before
    experiment.note(f"{put_aside} in {dead_queue}")
    experiment.expect(put_aside == 1, f"{put_aside} in {dead_queue} instead of 1")


def _keep_running(experiment: Experiment, command: Command, stop: threading.Event) -> None:
    """What any supervisor does."""
    arena, crashes = experiment.arena, 0
    while not stop.wait(0.1) and not arena.roster.closed:
        child = next(each for each in arena.roster.children() if each.name == command.name)
        if child.ended_by_itself:
            crashes += 1
            if not experiment.scale.patient:
                arena.let_time_pass()
            arena.roster.restart(child)
    experiment.note(f"{crashes} crashes")


def strangers(code: str, scale: Scale) -> list[Order]:
    """One request each, to addresses that no cache knows: the user service is asked each time.

    As many as are enough for the longest roll-out; most are never sent.
    """
    return [
        Order(f"{code}-{number}", {"template_code": code, "to": f"{code}.{number}@example.com"})
        for number in range(MORE_THAN_ENOUGH * scale.count)
    ]


def restart_all(experiment: Experiment) -> None:
    """Replace every process, as a roll-out does: another takes over before it is told to end."""
    arena, load = experiment.arena, experiment.load
    load.go_through(arena.links["gateway"])
    begun = time.monotonic()
    busy = set()

    def replaced(name: str) -> None:
        if load.done_share < 1:
            busy.add(name)

    # Those first that clients wait for.
    names = ("gateway", *SERVICES, *(set(PROCESSES) - {"gateway", *SERVICES}))
    try:
        arena.roll_out(names, replaced)
    finally:
        load.enough()
    experiment.expect({"gateway", *SERVICES} <= busy, "the load had ended by then")
    experiment.note(f"rolled out within {time.monotonic() - begun:.0f} s")
