"""What is read to apply reports: the reports that were kept, and the attempts they are about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from carillon.contracts import ids
from carillon.contracts.messages import DeliveryEvent, Outcome
from carillon.errors import Reason


class About(NamedTuple):
    """What a report names; of an organization's own account, that one's messages alone."""

    provider: str
    provider_message_id: str
    organization: UUID | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A row that is due."""

    id: int
    provider: str
    provider_message_id: str
    notification: UUID | None
    # Whose own account reported it; None for the platform's.
    organization: UUID | None
    # A Kind, as text.
    kind: str
    reason: str
    suppress: str
    code: str
    message: str
    occurred_at: datetime
    received_at: datetime
    tries: int

    @property
    def about(self) -> About:
        """By what its notification is looked for."""
        return About(self.provider, self.provider_message_id, self.organization)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a report is about; read while its notification is locked."""

    notification: UUID
    number: int
    organization: UUID
    correlation_id: str
    channel: str
    provider: str
    provider_message_id: str
    # An Outcome, as text.
    outcome: str
    started_at: datetime
    duration_ms: float


def attempt_of(kept: Kept, attempts: Sequence[Attempt]) -> Attempt | None:
    """The newest that the provider may mean; of our own reports any."""
    meant = [
        each
        for each in attempts
        if kept.notification is not None
        or (each.provider, each.provider_message_id) == (kept.provider, kept.provider_message_id)
    ]
    return max(meant, key=lambda each: each.number, default=None)


def delivery_event(kept: Kept, attempt: Attempt, outcome: Outcome) -> DeliveryEvent:
    """As the worker of that attempt would have said it."""
    return DeliveryEvent(
        event_id=f"callback_{kept.id}",
        notification_id=ids.format_id(ids.NOTIFICATION, attempt.notification),
        attempt=attempt.number,
        organization_id=ids.format_id(ids.ORGANIZATION, attempt.organization),
        correlation_id=attempt.correlation_id,
        channel=attempt.channel,
        outcome=outcome,
        provider=attempt.provider,
        provider_message_id=attempt.provider_message_id,
        reason=Reason(kept.reason) if kept.reason else None,
        error_code=kept.code if kept.reason else "",
        error_message=kept.message,
        started_at=attempt.started_at,
        # Two clocks: nothing arrives before it was sent.
        occurred_at=max(kept.occurred_at, attempt.started_at),
        duration_ms=attempt.duration_ms,
    )
