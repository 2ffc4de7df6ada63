"""What an event does to a notification: decisions alone, without a database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import ARRIVED, DeliveryEvent, DeviceResult, Outcome
from carillon.contracts.status import ENDS, Status, may_move
from carillon.errors import Reason
from gateway.deliveries.retry import RetryPolicy
from gateway.outbox.ordering import outbox_priority

STATUS_OF: Mapping[Outcome, Status] = {
    Outcome.SENT: Status.SENT,
    Outcome.DELIVERED: Status.DELIVERED,
    Outcome.DEFERRED: Status.RETRYING,
    Outcome.FAILED: Status.FAILED,
    Outcome.BOUNCED: Status.BOUNCED,
    Outcome.REJECTED: Status.REJECTED,
    Outcome.EXPIRED: Status.EXPIRED,
}
# Which later word on the same attempt is news: a receipt after an acceptance; or the success of a
# copy of the job, where the other copy had failed for a time.
REFINES: Mapping[Outcome, frozenset[Outcome]] = {
    Outcome.SENT: frozenset({Outcome.DELIVERED, Outcome.FAILED, Outcome.BOUNCED, Outcome.REJECTED}),
    Outcome.DEFERRED: ARRIVED,
}


def refines(recorded: Outcome | None, new: Outcome) -> bool:
    """Whether `new` is news about an attempt whose recorded outcome is `recorded`."""
    return recorded is None or new in REFINES.get(recorded, ())


@dataclass(slots=True)
class Progress:
    """A notification as its locked row says, then as the events of one batch move it."""

    id: UUID
    organization: UUID
    channel: str
    lane: Lane
    priority: int
    status: Status
    attempt: int
    # Attempts made before a replay gave it a new life: they do not count against the policy.
    earlier_attempts: int
    created_at: datetime
    expires_at: datetime | None
    moved: bool = False
    reason: str = ""
    provider: str = ""
    provider_message_id: str = ""
    error_message: str = ""
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    # Set where another attempt follows: the outbox row to write.
    next_attempt_at: datetime | None = None
    # Of several devices: those that the next attempt is not for.
    settled: tuple[DeviceResult, ...] = ()

    @property
    def publishing_priority(self) -> int:
        """Where a retry stands in the outbox."""
        return outbox_priority(self.lane, self.priority)

    @property
    def has_ended(self) -> bool:
        """No further event will move it."""
        return self.status in ENDS


def apply_event(
    progress: Progress,
    event: DeliveryEvent,
    recorded: Outcome | None,
    policy: RetryPolicy,
    *,
    now: datetime,
    dice: float,
) -> bool:
    """Move `progress` by `event`; False where it changes nothing (it is late or repeated).

    `recorded` is what is known of the event's attempt already. An earlier attempt counts only
    where it turns out to have arrived: then nothing must be sent again.
    """
    if event.attempt < progress.attempt and not (
        event.outcome in ARRIVED and refines(recorded, event.outcome)
    ):
        return False
    if not may_move(progress.status, STATUS_OF[event.outcome]):
        return False
    progress.moved = True
    progress.attempt = max(progress.attempt, event.attempt)
    progress.provider = event.provider or progress.provider
    progress.provider_message_id = event.provider_message_id or progress.provider_message_id
    progress.next_attempt_at = None
    if event.outcome is Outcome.DEFERRED:
        _try_again(progress, event, policy, now, dice)
    elif event.outcome in ARRIVED:
        _arrive(progress, event)
    else:
        _end(progress, STATUS_OF[event.outcome], event.reason or Reason.OTHER, event)
    return True


def _try_again(
    progress: Progress, event: DeliveryEvent, policy: RetryPolicy, now: datetime, dice: float
) -> None:
    attempts = max(1, progress.attempt - progress.earlier_attempts)
    if not policy.allows_after(attempts):
        _end(progress, Status.FAILED, Reason.ATTEMPTS_EXHAUSTED, event)
        return
    due = now + timedelta(seconds=policy.delay_after(attempts, event.retry_after, dice))
    if progress.expires_at is not None and due >= progress.expires_at:
        _end(progress, Status.EXPIRED, Reason.EXPIRED, event)
        return
    progress.status = Status.RETRYING
    progress.attempt += 1
    progress.next_attempt_at = due
    progress.reason = event.reason.value if event.reason else ""
    progress.error_message = event.error_message
    progress.settled = tuple(d for d in event.devices if d.outcome is not Outcome.DEFERRED)
    if _taken(event.devices) is not None:
        progress.sent_at = progress.sent_at or event.occurred_at


def _taken(devices: tuple[DeviceResult, ...]) -> DeviceResult | None:
    """The device that took it, in this attempt or an earlier one: delivered rather than sent."""
    arrived = (device for device in devices if device.outcome in ARRIVED)
    return min(arrived, key=lambda device: device.outcome is Outcome.SENT, default=None)


def _end(progress: Progress, status: Status, reason: Reason, event: DeliveryEvent) -> None:
    """What none of the devices took has failed; one that took it is enough."""
    taken = _taken(event.devices)
    if taken is None:
        _fail(progress, status, reason, event)
        return
    progress.provider = taken.provider
    progress.provider_message_id = taken.provider_message_id
    _arrive(progress, msgspec.structs.replace(event, outcome=taken.outcome))


def _arrive(progress: Progress, event: DeliveryEvent) -> None:
    progress.status = STATUS_OF[event.outcome]
    progress.reason = progress.error_message = ""
    progress.sent_at = progress.sent_at or event.occurred_at
    if progress.status is Status.DELIVERED:
        progress.delivered_at = event.occurred_at


def _fail(progress: Progress, status: Status, reason: Reason, event: DeliveryEvent) -> None:
    progress.status = status
    progress.reason = reason.value
    progress.error_message = event.error_message
