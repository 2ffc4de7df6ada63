"""A provider with an API that fails, and one that asks for a pause."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from carillon.testing.http_double import Reply
from tests.end_to_end.faults.api_provider import LIMITED, UNAVAILABLE
from tests.end_to_end.faults.arena import Arena
from tests.end_to_end.faults.outages import outage
from tests.end_to_end.faults.scenario import Experiment
from tests.end_to_end.faults.settings import WORKER_THREADS

WORKER = ("email_worker", "-m", "email_worker")
# Seconds in which anything comes that comes at all.
LONGEST = 60.0


def api_then_smtp(arena: Arena) -> AbstractContextManager[object]:
    """The worker's first provider is the one with an API."""
    return arena.replaced(*WORKER, **arena.api_provider.settings(others=("smtp",)))


def api_alone(arena: Arena) -> AbstractContextManager[object]:
    """The worker has no other."""
    return arena.replaced(*WORKER, **arena.api_provider.settings())


def fail_over(experiment: Experiment) -> None:
    """The first provider says 503; mail goes on by the second, without waiting for the first."""
    arena = experiment.arena
    api, delivered = arena.api_provider, arena.provider.latest
    with outage(experiment):
        before, api.trouble = len(delivered), Reply(UNAVAILABLE)
        try:
            _pause(experiment, lambda: len(delivered) > before)
        finally:
            api.trouble = None
        meanwhile = len(delivered) - before
        if not experiment.scale.patient:
            arena.let_time_pass()
    experiment.note(f"{meanwhile} delivered by the second provider meanwhile")
    experiment.expect(meanwhile > 0, "nothing was delivered meanwhile")
    experiment.load.wait_until_done(1.0)


def ask_for_a_pause(experiment: Experiment) -> None:
    """The only provider says 429 with a Retry-After to whatever is sent in that time."""
    arena = experiment.arena
    api, seconds = arena.api_provider, pause_asked_for(experiment)
    with outage(experiment):
        api.trouble = Reply(LIMITED, headers={"Retry-After": str(seconds)})
        try:
            _pause(experiment, lambda: any(call.status == LIMITED for call in api.calls))
        finally:
            api.trouble = None
    experiment.load.wait_until_done(1.0)
    # What was refused waits in the outbox; the others must not find another worker's settings.
    waited_for = len(experiment.load.promised)
    arena.wait_until(lambda: _delivered(experiment) >= waited_for, LONGEST)


def no_early_call(experiment: Experiment) -> None:
    """While a pause that was asked for lasts, no more calls come than were under way."""
    calls, seconds = experiment.arena.api_provider.calls, pause_asked_for(experiment)
    refused = [call.at for call in calls if call.status == LIMITED]
    early = max((sum(at < call.at < at + seconds for call in calls) for at in refused), default=0)
    experiment.note(f"{len(refused)} times 429 with Retry-After: {seconds}")
    experiment.expect(bool(refused), "no call was refused")
    under_way = WORKER_THREADS - 1
    experiment.expect(early <= under_way, f"{early} calls before the time that was asked for")


def pause_asked_for(experiment: Experiment) -> int:
    """Seconds, several times in an outage."""
    return max(1, int(experiment.scale.outage / 6))


def _pause(experiment: Experiment, came: Callable[[], bool]) -> None:
    """For an outage; longer where a slow machine has neither done nor answered anything in it."""
    arena, load = experiment.arena, experiment.load
    begun = time.monotonic()
    arena.pause(experiment.scale.outage)
    load.let_all_go()
    arena.wait_until(lambda: came() and load.answered(begun, time.monotonic()) > 0, LONGEST)


def _delivered(experiment: Experiment) -> int:
    latest = experiment.arena.provider.latest
    return sum(one in latest for one in experiment.load.promised)
