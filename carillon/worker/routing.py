"""Which provider takes a message next: the channel's order, their breakers and rate limits."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import Outcome
from carillon.contracts.provider import Acceptance, OutcomeUnknown, Provider
from carillon.errors import DeliveryFailure, Reason, TemporaryFailure
from carillon.worker.breaker import Permit

# A provider that asks for more is asked again after an hour: its clock may be wrong.
LONGEST_PAUSE_SECONDS = 3600.0

# Failures that say something of the provider; the others are about one message.
_TROUBLE = frozenset(
    {
        Reason.PROVIDER_UNAVAILABLE,
        Reason.TIMED_OUT,
        Reason.RATE_LIMITED,
        Reason.CONFIGURATION,
        Reason.OUTCOME_UNKNOWN,
    }
)


class Breaker(Protocol):
    """Says whether a provider may be called, and hears how it went."""

    @property
    def shut(self) -> bool: ...

    def ask(self) -> Permit | float: ...

    def succeeded(self) -> None: ...

    def failed(self) -> None: ...

    def pause(self, seconds: float) -> None: ...

    def abandon(self, permit: Permit) -> None: ...


class Limit(Protocol):
    """A provider's rate limit."""

    def take(self, lane: Lane) -> float: ...


class AlwaysClosed:
    """The breaker of a provider that has none: its failures are made to order."""

    shut = False

    def ask(self) -> Permit:
        """Always a permit."""
        return Permit()

    def succeeded(self) -> None:
        """Nothing changes."""

    def failed(self) -> None:
        """Nothing changes."""

    def pause(self, seconds: float) -> None:
        """Nothing changes."""

    def abandon(self, permit: Permit) -> None:
        """Nothing changes."""


@dataclass(frozen=True, slots=True)
class Member:
    """A provider in its place in the order.

    `key` tells it from the others of the order; empty where the provider's name does.
    """

    provider: Provider
    breaker: Breaker
    limit: Limit | None = None
    key: str = ""

    @property
    def identity(self) -> str:
        """By which an attempt remembers that it was tried."""
        return self.key or self.provider.name


@dataclass(frozen=True, slots=True)
class Choice:
    """A member that may be called now; report what came of it with `ProviderOrder.heard`."""

    member: Member
    permit: Permit

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.member.provider.name

    @property
    def identity(self) -> str:
        """What tells the member from others of the same provider."""
        return self.member.identity

    @property
    def outcome(self) -> Outcome:
        """What its acceptance comes to."""
        return Outcome.SENT if self.member.provider.receipts else Outcome.DELIVERED


class ProviderOrder:
    """A channel's providers: the first that may be called is called, the next is its stand-in."""

    def __init__(self, members: Iterable[Member]) -> None:
        self.members = tuple(members)

    def serves(self, platform: str) -> bool:
        """Whether there is a provider for devices of this platform."""
        return any(member.provider.capabilities.serves(platform) for member in self.members)

    def sequence(self) -> Sequence[Member]:
        """The members in the order in which this message tries them."""
        return self.members

    def give_back(self) -> None:
        """Whoever had the order from a Bench is done with it."""

    def name_of(self, identity: str) -> str:
        """The provider's name of a member."""
        names = (m.provider.name for m in self.members if m.identity == identity)
        return next(names, "")

    def choose(
        self, lane: Lane, tried: Collection[str] = (), platform: str | None = None
    ) -> Choice | float:
        """The next whose identity is not in `tried`, or the seconds until one may be ready.

        With a `platform`, only those that reach its devices.

        A rate limit is waited for rather than dodged: only trouble moves traffic to a stand-in.
        A float of 0.0 says that all were tried.
        """
        waits: list[float] = []
        for member in self.sequence():
            if member.identity in tried:
                continue
            if platform is not None and not member.provider.capabilities.serves(platform):
                continue
            permit = member.breaker.ask()
            if not isinstance(permit, Permit):
                waits.append(permit)
                continue
            wait = member.limit.take(lane) if member.limit else 0.0
            if wait > 0:
                member.breaker.abandon(permit)
                return wait
            return Choice(member, permit)
        return min(waits, default=0.0)

    @staticmethod
    def heard(choice: Choice, answer: Acceptance | DeliveryFailure | None) -> None:
        """Tell the breaker what the call showed; None where it showed nothing (a defect)."""
        breaker = choice.member.breaker
        if answer is None:
            breaker.abandon(choice.permit)
        elif isinstance(answer, Acceptance) or not in_trouble(answer):
            breaker.succeeded()
        else:
            _trouble(breaker, answer)


def passed_over(order: ProviderOrder, names: Collection[str]) -> frozenset[str]:
    """Of the members those of the providers of these names; none where nobody else is left."""
    found = {member.identity for member in order.members if member.provider.name in names}
    return frozenset(found) if len(found) < len(order.members) else frozenset()


def in_trouble(failure: DeliveryFailure) -> bool:
    """True where the failure is the provider's (or our account's), not the message's."""
    return isinstance(failure, OutcomeUnknown) or failure.reason in _TROUBLE


def spreads(failure: DeliveryFailure) -> bool:
    """True where the recipient's next device would meet the same, after as long a wait."""
    return in_trouble(failure) and failure.reason is not Reason.CONFIGURATION


def _trouble(breaker: Breaker, failure: DeliveryFailure) -> None:
    asked = failure.retry_after if isinstance(failure, TemporaryFailure) else None
    if asked:
        breaker.pause(min(asked, LONGEST_PAUSE_SECONDS))
    # Being told to slow down is not being broken.
    if not asked or failure.reason is not Reason.RATE_LIMITED:
        breaker.failed()
