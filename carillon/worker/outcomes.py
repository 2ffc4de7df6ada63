"""From what providers answered to the outcome of an attempt."""

from datetime import UTC, datetime

from carillon.contracts.ids import new_id
from carillon.contracts.messages import DeliveryJob, DeliveryPolicy, Outcome
from carillon.errors import DeliveryFailure, Reason
from carillon.observability.masking import mask_text
from carillon.worker.dedupe import Done

EVENT_PREFIX = "evt"
MESSAGE_LENGTH = 500
CODE_LENGTH = 64

OUTCOMES: dict[Reason, Outcome] = {
    Reason.INVALID_ADDRESS: Outcome.BOUNCED,
    Reason.BOUNCED: Outcome.BOUNCED,
    Reason.BLOCKED: Outcome.REJECTED,
    Reason.SPAM: Outcome.REJECTED,
    Reason.UNSUBSCRIBED: Outcome.REJECTED,
}
"""What a permanent failure is called, by its reason; with any other it is `failed`."""


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


def undelivered(outcome: Outcome, reason: Reason, message: str, *, now: datetime) -> Done:
    """The outcome of a job for which no provider was called."""
    return Done(
        event_id=new_id(EVENT_PREFIX),
        outcome=outcome,
        reason=reason,
        error_message=message,
        started_at=now,
        occurred_at=now,
        duration_ms=0.0,
    )


def deferred_for(seconds: float, *, now: datetime) -> Done:
    """The outcome where no provider can be called for `seconds`."""
    return Done(
        event_id=new_id(EVENT_PREFIX),
        outcome=Outcome.DEFERRED,
        reason=Reason.PROVIDER_UNAVAILABLE,
        error_message="No provider can take messages at present.",
        retry_after=seconds,
        started_at=now,
        occurred_at=now,
        duration_ms=0.0,
    )


def after_defect(job: DeliveryJob, kind: str, *, now: datetime) -> Done:
    """The outcome where a bug of ours ended the attempt, before or after the provider's call."""
    at_most_once = job.delivery is DeliveryPolicy.AT_MOST_ONCE
    return Done(
        event_id=new_id(EVENT_PREFIX),
        outcome=Outcome.FAILED if at_most_once else Outcome.DEFERRED,
        reason=Reason.OUTCOME_UNKNOWN if at_most_once else Reason.OTHER,
        error_code="defect",
        error_message=f"The worker failed unexpectedly ({kind}).",
        started_at=now,
        occurred_at=now,
        duration_ms=0.0,
        possible_duplicate=not at_most_once,
    )


def accepted(
    provider: str,
    provider_message_id: str,
    outcome: Outcome,
    *,
    started_at: datetime,
    duration_ms: float,
    possible_duplicate: bool,
    occurred_at: datetime | None = None,
) -> Done:
    """A provider took the message, just now unless `occurred_at` says when."""
    return Done(
        event_id=new_id(EVENT_PREFIX),
        outcome=outcome,
        provider=provider,
        provider_message_id=provider_message_id,
        started_at=started_at,
        occurred_at=occurred_at or utc_now(),
        duration_ms=duration_ms,
        possible_duplicate=possible_duplicate,
    )


def refused(
    provider: str,
    failure: DeliveryFailure,
    outcome: Outcome,
    *,
    started_at: datetime,
    duration_ms: float,
    possible_duplicate: bool,
    retry_after: float | None = None,
) -> Done:
    """No provider took the message; `failure` is what `provider` said."""
    return Done(
        event_id=new_id(EVENT_PREFIX),
        outcome=outcome,
        provider=provider,
        reason=failure.reason,
        error_code=mask_text(failure.code)[:CODE_LENGTH],
        # Masked again here: a provider's own words may quote the address.
        error_message=mask_text(failure.message)[:MESSAGE_LENGTH],
        retry_after=retry_after,
        started_at=started_at,
        occurred_at=utc_now(),
        duration_ms=duration_ms,
        possible_duplicate=possible_duplicate,
    )
