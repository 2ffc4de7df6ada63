"""One file for each thing that is measured; the order of SCENARIOS is that of a whole run."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.harness.ground import Ground
from benchmarks.harness.results import Result
from benchmarks.scenarios import (
    accept,
    bulk,
    cold_cache,
    end_to_end,
    events,
    flood,
    memory,
    reading,
    relay,
    worker,
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario; `run` starts what it needs on the ground it is given.

    One that is `apart` has a platform of its own, and is measured while ours rests.
    """

    about: str
    run: Callable[[Ground], Result]
    apart: bool = False


SCENARIOS = {
    "accept": Scenario("accepting one notification, and its CPU time", accept.run),
    "cold_cache": Scenario("accepting for users whom no cache knows", cold_cache.run),
    "bulk": Scenario("one message to many", bulk.run),
    "relay": Scenario("the relay's publishing", relay.run),
    "worker": Scenario("the email worker", worker.run),
    "events": Scenario("applying delivery events", events.run),
    "end_to_end": Scenario("from the request to the mail", end_to_end.run),
    "flood": Scenario("an urgent notification while 50,000 bulk jobs wait", flood.run, apart=True),
    "reading": Scenario("listing and analytics with a million notifications", reading.run),
    "memory": Scenario("memory after 100,000 notifications", memory.run),
}
