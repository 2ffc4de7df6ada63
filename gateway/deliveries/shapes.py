"""What the API shows of dead letters and replays."""

from datetime import datetime

import msgspec

from carillon.contracts.status import Status
from gateway.deliveries.models import DeadLetter


class DeadLetterShape(msgspec.Struct, frozen=True, kw_only=True):
    """A failure that was kept, and where its notification is today.

    `reason` is that of the failure, `notification_reason` that of the notification's status.
    """

    dead_letter_id: str
    notification_id: str
    channel: str
    template_code: str | None
    reason: str
    error_message: str | None
    attempts: int
    created_at: datetime
    replayed_at: datetime | None
    notification_status: Status
    notification_reason: str | None


class ReplayShape(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay by filter did; of a dry run, what it would do."""

    dry_run: bool
    matching: int
    replayed: int
    rejected: int
    remaining: int
    waiting: int
    starts_at: datetime | None
    until: datetime | None
    sample: list[DeadLetterShape]


def show_dead_letter(letter: DeadLetter) -> DeadLetterShape:
    """`letter` comes with its notification."""
    notification = letter.notification
    return DeadLetterShape(
        dead_letter_id=letter.pk,
        notification_id=notification.pk,
        channel=notification.channel,
        template_code=notification.template_code or None,
        reason=letter.reason,
        error_message=letter.error_message or None,
        attempts=letter.attempts,
        created_at=letter.created_at,
        replayed_at=letter.replayed_at,
        notification_status=Status(notification.status),
        notification_reason=notification.reason or None,
    )
