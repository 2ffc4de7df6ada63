"""When a notification is to be sent, and until when: what may be asked for."""

from datetime import datetime, timedelta

from carillon.web.errors import ValidationFailed

CLOCK_SKEW = timedelta(minutes=1)
SCHEDULE_MOST = timedelta(days=366)


def check_times(
    scheduled_at: datetime | None, expires_at: datetime | None, now: datetime
) -> datetime | None:
    """When to send; None is now. Raises ValidationFailed."""
    if scheduled_at is not None:
        if scheduled_at < now - CLOCK_SKEW:
            raise ValidationFailed(details={"scheduled_at": ["This time has passed."]})
        if scheduled_at > now + SCHEDULE_MOST:
            raise ValidationFailed(
                details={"scheduled_at": [f"Expected a time within {SCHEDULE_MOST.days} days."]}
            )
        if scheduled_at <= now:
            scheduled_at = None
    if expires_at is not None and expires_at <= (scheduled_at or now):
        raise ValidationFailed(
            details={"expires_at": ["Expected a time after now and after scheduled_at."]}
        )
    return scheduled_at
