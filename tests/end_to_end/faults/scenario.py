"""What a scenario is: a promise, how it is put to the test, and what is allowed to happen."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from tests.end_to_end.faults.arena import Arena
from tests.end_to_end.faults.load import Load, Order
from tests.end_to_end.faults.settings import WORKER_THREADS

# Notifications a second: what the clients ask for at most. Two cores carry it with room to spare.
RATE = 150.0

# Seconds in which any process is up again, and in which it has ended in an orderly way.
RESTART = 6.0
STOP = 8.0
# Seconds in which all processes are replaced, on any machine.
ROLL_OUT = 300.0

# What a client may be told while a fault lasts. Anything else is a broken promise.
NO_ANSWER = 0
IN_PROGRESS = 409
QUOTA_EXCEEDED = 429
UNAVAILABLE = 503
NONE: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Scale:
    """`count` notifications, `kills`, outages of `outage` seconds, `copies` of one request.

    `patient` waits for timers in Redis; without it they run out when a fault ends.
    """

    count: int
    kills: int
    outage: float
    copies: int
    patient: bool


# A minute or two in all. The long form's count is divided among the scenarios.
SHORT = Scale(count=120, kills=1, outage=3, copies=8, patient=False)
LONG = Scale(count=20_000, kills=5, outage=60, copies=50, patient=True)


@dataclass
class Experiment:
    """One run of one scenario: where, how much, for whom, and what was noticed on the way."""

    arena: Arena
    scale: Scale
    load: Load
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    # When a fault began and ended, by the monotonic clock.
    outage: tuple[float, float] | None = None

    def strike(self, share: float) -> None:
        """Wait until that share of the load is done: a fault strikes in the middle of the work."""
        self.load.wait_until_done(share)
        self.expect(self.load.done_share < 1, "the fault came after all the work")

    def note(self, text: str) -> None:
        """Something measured that belongs beside the table."""
        self.notes.append(text)

    def expect(self, kept: bool, problem: str) -> None:
        """A promise beyond the counts; `problem` says how it was broken."""
        if not kept:
            self.problems.append(problem)


Inject = Callable[[Experiment], None]


def no_check(_experiment: Experiment) -> None:
    """The counts say it all."""


def as_it_is(_arena: Arena) -> AbstractContextManager[None]:
    """Nothing is changed."""
    return nullcontext()


def at_once(_scale: Scale) -> float:
    """As fast as the rate allows."""
    return 0.0


def during_the_outage(scale: Scale) -> float:
    """From before it until after it."""
    return scale.outage * 1.5


def during_the_kills(scale: Scale) -> float:
    """Long enough for what was killed to be up again before the next kill."""
    return (scale.kills - 1) * RESTART


def during_the_roll_out(_scale: Scale) -> float:
    """Several times what it takes; it ends with the roll-out."""
    return ROLL_OUT


def during_the_stops(scale: Scale) -> float:
    """The same, where it takes its time to end."""
    return (scale.kills - 1) * (STOP + RESTART)


def nothing(_scale: Scale) -> int:
    """The bound of what must not happen."""
    return 0


def one_per_call(scale: Scale) -> int:
    """Each kill may leave in doubt what each thread was sending."""
    return scale.kills * WORKER_THREADS


def one_per_thread(_scale: Scale) -> int:
    """One outage strikes each thread once, in the middle of its call."""
    return WORKER_THREADS


def plain(code: str, scale: Scale) -> list[Order]:
    """One request each."""
    return [Order(f"{code}-{number}", {"template_code": code}) for number in range(scale.count)]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """`inject` runs while the load does, `check` when everything has ended.

    `duplicates` bounds how often a provider may be given what it has; `unknown` how many may end
    as failed because nobody can say. `refusals` are the answers that clients may get meanwhile,
    0 for none; `final` those that end a request without a notification. `lasts` is for how many
    seconds the load is spread; `steady` says that clients must not notice the fault in the time
    that answers take. `beside` names processes of which a second one runs meanwhile; `within`
    changes the arena for as long as the load lasts.
    """

    name: str
    promise: str
    injected: str
    inject: Inject
    check: Inject = no_check
    duplicates: Callable[[Scale], int] = nothing
    unknown: Callable[[Scale], int] = nothing
    refusals: frozenset[int] = NONE
    final: frozenset[int] = NONE
    lasts: Callable[[Scale], float] = at_once
    steady: bool = False
    beside: tuple[str, ...] = ()
    within: Callable[[Arena], AbstractContextManager[object]] = as_it_is
    orders: Callable[[str, Scale], list[Order]] = plain
    template: Callable[[], dict[str, str]] = dict
    clients: int = 8
    quota: Callable[[Scale], int] | None = None
    short: bool = True

    def rate(self, scale: Scale, requests: int) -> float:
        """Requests a second."""
        seconds = self.lasts(scale)
        return min(RATE, requests / seconds) if seconds else RATE
