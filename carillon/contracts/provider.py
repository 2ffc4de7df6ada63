"""The contract between a worker and a provider: a job in, an acceptance or a failure out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import msgspec

from carillon.contracts.messages import DeliveryJob
from carillon.errors import DeliveryFailure, Reason


class Acceptance(msgspec.Struct, frozen=True):
    """A provider took responsibility for the message; the id may be empty if it gave none."""

    provider_message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a provider can do, whatever its settings.

    `idempotency_key`: it takes one, so that the same job sent twice arrives once. `max_size`: the
    longest message, in the unit that it counts (bytes of a push, characters of a text); 0 where it
    names none. `rate_per_second`: what it takes of
    an account that has agreed on nothing else; 0 where it names none. `platforms`: the push
    services whose devices it reaches ("" is a device without one); None where it is not asked.
    """

    idempotency_key: bool = False
    max_size: int = 0
    rate_per_second: float = 0.0
    platforms: frozenset[str] | None = None

    def serves(self, platform: str) -> bool:
        """Whether a device of this platform is one for this provider."""
        return self.platforms is None or platform in self.platforms


class OutcomeUnknown(DeliveryFailure):
    """The provider may or may not have the message: the answer was lost after all of it was sent.

    Neither failure fits: trying again may deliver twice, giving up may deliver never. The
    template's delivery policy decides, not the provider. Raise it only where the whole message
    was handed over; a connection lost earlier is a TemporaryFailure.
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message, reason=Reason.OUTCOME_UNKNOWN, code=code)


class Provider(Protocol):
    """One adapter per provider; it knows its wire protocol and nothing of queues.

    `send` is called from several threads at once. `receipts` says whether the provider reports
    later what became of the message: if not, acceptance is all there is to know, and counts as
    delivered. A job for a user's devices comes to it as one job a device.
    """

    name: str
    receipts: bool
    capabilities: Capabilities

    def send(self, job: DeliveryJob) -> Acceptance:
        """Deliver the job's content, once, within a bound of time; never retry what may be sent.

        Raises TemporaryFailure, PermanentFailure or OutcomeUnknown. Anything else is a defect:
        the worker logs it and treats it as temporary.
        """
        ...

    def close(self) -> None:
        """Release connections; no `send` is under way or follows."""
        ...


class CannotVerify(Exception):
    """Whether the account works shows only in sending; `message`, for people, says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@runtime_checkable
class Verifiable(Protocol):
    """A provider whose account can be tested without sending anything to anybody."""

    def verify(self) -> str:
        """What was shown of the account, in a sentence for its owner.

        Within a bound of time, and nothing is kept. Raises PermanentFailure where the provider
        refuses the account, TemporaryFailure where it could not be asked, and CannotVerify. The
        message of each holds no secret and nothing that the provider wrote.
        """
        ...


class TurnProvider(Provider, Protocol):
    """A provider that can do several jobs in one go, for less than each would cost alone."""

    def send_in_turn(self, jobs: Sequence[DeliveryJob]) -> Iterator[Acceptance | DeliveryFailure]:
        """What became of each job, in their order: what `send` returns or raises.

        It begins a job only when its answer is asked for, so that whoever asks no more may count
        the jobs without an answer as not begun; an end before the last says the same of them.
        """
        ...
