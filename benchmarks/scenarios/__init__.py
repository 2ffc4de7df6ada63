"""One file for each thing that is measured; the order of SCENARIOS is that of a whole run."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.harness.ground import Ground
from benchmarks.harness.results import Result
from benchmarks.scenarios import accept


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario; `run` starts what it needs on the ground it is given."""

    about: str
    run: Callable[[Ground], Result]


SCENARIOS = {
    "accept": Scenario("accepting one notification, and its CPU time", accept.run),
}
