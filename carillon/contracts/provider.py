"""The contract between a worker and a provider: a job in, an acceptance or a failure out."""

from dataclasses import dataclass
from typing import Protocol

from carillon.contracts.messages import DeliveryJob


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A provider took responsibility for the message; the id may be empty if it gave none."""

    provider_message_id: str = ""


class Provider(Protocol):
    """One adapter per provider; it knows its wire protocol and nothing of queues.

    `send` is called from several threads at once. `receipts` says whether the provider reports
    later what became of the message: if not, acceptance is all there is to know, and counts as
    delivered.
    """

    name: str
    receipts: bool

    def send(self, job: DeliveryJob) -> Acceptance:
        """Deliver the job's content. Raises TemporaryFailure or PermanentFailure, nothing else."""
        ...

    def close(self) -> None:
        """Release connections; no `send` is under way or follows."""
        ...
