"""The test suites: what each runs, and what it has to itself on the private servers."""

from collections.abc import Collection
from dataclasses import dataclass

from deploy.local.errors import StackError

# What the services share is tested within the internal two, whose apps it holds.
SHARED = "carillon/web"
FAULTS = "tests/end_to_end/faults"
# What the three workers run, and what it stands on.
WORKERS = ("carillon/broker", "carillon/worker")
SLOWEST = ("--durations=5", "--durations-min=5")
UNIT = ("-m", "not integration and not end_to_end")


@dataclass(frozen=True, slots=True)
class Suite:
    """One pytest process: Django is configured once per process, so each service has its own.

    A suite that is `last` runs when the others have ended, and alone: what it promises is for a
    machine that has nothing else to do.
    """

    name: str
    paths: tuple[str, ...]
    settings: str = ""
    without: tuple[str, ...] = ()  # folders below `paths`
    last: bool = False
    unit: bool = True  # has tests that need no server

    def arguments(self, report: str, *, unit: bool) -> tuple[str, ...]:
        """pytest's arguments."""
        django = (f"--ds={self.settings}",) if self.settings else ()
        without = tuple(f"--ignore={folder}" for folder in self.without)
        return (
            *self.paths,
            *without,
            *django,
            *(UNIT if unit else ()),
            f"--junitxml={report}",
            *SLOWEST,
        )


# The longest first, so that none is left over at the end. Most wait half of their time, for
# processes to start or for somebody to give up: the others have the processor meanwhile.
SUITES: tuple[Suite, ...] = (
    Suite("end_to_end", ("tests/end_to_end",), without=(FAULTS,), unit=False),
    Suite("gateway", ("gateway",), "gateway.settings"),
    Suite("workers", WORKERS),
    Suite("deploy", ("deploy", "benchmarks")),
    Suite(
        "libraries",
        (
            "carillon",
            "email_worker",
            "sms_worker",
            "push_worker",
            "tests/test_architecture.py",
            "tests/test_provider_accounts.py",
        ),
        without=(SHARED, *WORKERS),
    ),
    Suite("user_service", ("user_service", SHARED), "user_service.settings"),
    Suite("template_service", ("template_service", SHARED), "template_service.settings"),
    Suite("faults", (FAULTS,), last=True, unit=False),
)


def choose(names: Collection[str], *, unit: bool) -> tuple[Suite, ...]:
    """The named suites, or all; raises StackError for a name that there is not."""
    known = {suite.name for suite in SUITES if suite.unit or not unit}
    unknown = set(names) - known
    if unknown:
        raise StackError(
            f"No such suite: {', '.join(sorted(unknown))}. There are: {', '.join(sorted(known))}."
        )
    return tuple(suite for suite in SUITES if suite.name in (names or known))
