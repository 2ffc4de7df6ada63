"""Turns stored notifications into what the API shows."""

from collections.abc import Iterable
from typing import Any

import msgspec
from django.core.exceptions import ObjectDoesNotExist
from msgspec import UNSET

from carillon.contracts.messages import DeviceResult
from carillon.contracts.status import ENDS, Status
from carillon.observability.masking import mask_address
from gateway.deliveries.models import DeliveryAttempt
from gateway.fallbacks.models import NO_RECEIPT
from gateway.fallbacks.presentation import fallback_of, show_fallback
from gateway.notifications.models import Notification
from gateway.notifications.shapes import (
    AttemptShape,
    DetailShape,
    DeviceShape,
    EngagementShape,
    MomentShape,
    StatusShape,
    SummaryShape,
)

REPLAYED = "replayed"
_OUTCOME_STATUS = {"deferred": Status.RETRYING}


def show_status(notification: Notification) -> StatusShape:
    """As in reference 003."""
    return StatusShape(
        notification_id=notification.pk,
        status=Status(notification.status),
        notification_type=notification.channel,
        template_code=notification.template_code or None,
        created_at=notification.created_at,
        updated_at=notification.updated_at,
        delivered_at=notification.delivered_at or UNSET,
        reason=notification.reason or UNSET,
        error_message=notification.error_message or UNSET,
        fallback=show_fallback(notification) or UNSET,
    )


def show_summary(notification: Notification, *, masked: bool) -> SummaryShape:
    """`notification` comes with its content."""
    return SummaryShape(**_summary(notification, masked=masked))


def show_detail(notification: Notification, *, masked: bool) -> DetailShape:
    """`notification` comes with its content, attempts, replays and engagement."""
    attempts: list[DeliveryAttempt] = list(notification.attempts.all())
    return DetailShape(
        **_summary(notification, masked=masked),
        attempts=[_attempt(attempt) for attempt in attempts],
        timeline=_timeline(notification, attempts),
        engagement={
            each.kind: EngagementShape(
                first_at=each.first_at, last_at=each.last_at, count=each.count
            )
            for each in notification.engagement.all()
        },
        content_cleared=not _has_content(notification),
        fallback=show_fallback(notification),
        fallback_of=fallback_of(notification),
    )


def _summary(notification: Notification, *, masked: bool) -> dict[str, Any]:
    return {
        "notification_id": notification.pk,
        "request_id": notification.request_id,
        "correlation_id": notification.correlation_id,
        "status": Status(notification.status),
        "reason": notification.reason or None,
        "notification_type": notification.channel,
        "lane": notification.lane,
        "priority": notification.priority,
        "category": notification.category or None,
        "user_id": notification.user_id or None,
        "recipient": recipient_of(notification, masked=masked),
        "template_code": notification.template_code or None,
        "template_version": notification.template_version,
        "language": notification.language or None,
        "batch_id": notification.batch_id,
        "metadata": notification.metadata,
        "provider": notification.provider or None,
        "provider_message_id": notification.provider_message_id or None,
        "next_attempt_at": notification.next_attempt_at,
        "scheduled_at": notification.scheduled_at,
        "expires_at": notification.expires_at,
        "created_at": notification.created_at,
        "updated_at": notification.updated_at,
        "sent_at": notification.sent_at,
        "delivered_at": notification.delivered_at,
        "error_message": notification.error_message or None,
    }


def _has_content(notification: Notification) -> bool:
    """False once retention, or the erasure of its user, has cleared it."""
    return getattr(notification, "content", None) is not None


def recipient_of(notification: Notification, *, masked: bool) -> str | None:
    """The address, or the first of several devices; None once retention has cleared it."""
    try:
        addresses = notification.content.addresses
    except ObjectDoesNotExist:
        return None
    if not addresses:
        return None
    value = str(addresses[0]["value"])
    return mask_address(value) if masked else value


def _attempt(attempt: DeliveryAttempt) -> AttemptShape:
    return AttemptShape(
        number=attempt.number,
        channel=attempt.channel,
        provider=attempt.provider or None,
        provider_message_id=attempt.provider_message_id or None,
        outcome=attempt.outcome,
        reason=attempt.reason or None,
        error_code=attempt.error_code or None,
        error_message=attempt.error_message or None,
        started_at=attempt.started_at,
        finished_at=attempt.finished_at,
        duration_ms=attempt.duration_ms,
        possible_duplicate=attempt.possible_duplicate,
        devices=[_device(each) for each in attempt.devices] if attempt.devices else UNSET,
    )


def _device(stored: dict[str, Any]) -> DeviceShape:
    device = msgspec.convert(stored, DeviceResult)
    return DeviceShape(
        device_id=device.device_id or None,
        platform=device.platform or None,
        provider=device.provider or None,
        provider_message_id=device.provider_message_id or None,
        outcome=device.outcome.value,
        reason=device.reason.value if device.reason else None,
        error_code=device.error_code or None,
        error_message=device.error_message or None,
        possible_duplicate=device.possible_duplicate,
    )


def _timeline(notification: Notification, attempts: Iterable[DeliveryAttempt]) -> list[MomentShape]:
    """Made of the times that are kept: of what repeats, attempts tell."""
    status = Status(notification.status)
    first = Status.SCHEDULED if notification.scheduled_at else Status.ACCEPTED
    if notification.attempt == 1 and status is Status.REJECTED and not notification.queued_at:
        # Never accepted for sending.
        return [_moment(status, notification.created_at, notification.reason)]
    moments = [_moment(first, notification.created_at, notification.deferral)]
    if notification.queued_at:
        moments.append(MomentShape(status=Status.QUEUED, at=notification.queued_at))
    for attempt in attempts:
        moments.append(
            MomentShape(status=Status.PROCESSING, at=attempt.started_at, attempt=attempt.number)
        )
        moments += _outcomes(notification, attempt)
    again = [
        MomentShape(status=Status.ACCEPTED, at=replay.at, attempt=replay.attempt, reason=REPLAYED)
        for replay in notification.replays.all()
    ]
    last = max((moments[-1], *again[-1:]), key=lambda moment: moment.at)
    if status in ENDS and last.status is not status:
        # A receipt, a cancellation or the end of all attempts came after the last of them.
        at = notification.delivered_at if status is Status.DELIVERED else None
        moments.append(_moment(status, at or notification.updated_at, notification.reason))
    moments += [*again, *_fallback(notification)]
    return sorted(moments, key=lambda moment: moment.at)


def _fallback(notification: Notification) -> list[MomentShape]:
    """That it was to be said on another channel, or was, or could not be."""
    fallback = show_fallback(notification)
    if fallback is None:
        return []
    status = Status.SENT if fallback.cause == NO_RECEIPT else Status(notification.status)
    at = fallback.settled_at or fallback.created_at
    return [_moment(status, at, f"fallback_{fallback.status.value}")]


def _outcomes(notification: Notification, attempt: DeliveryAttempt) -> list[MomentShape]:
    """What the provider answered, and what it reported later, where it did."""
    outcome = _OUTCOME_STATUS.get(attempt.outcome) or Status(attempt.outcome)
    answered_at = attempt.finished_at
    reported_at = (
        notification.delivered_at if outcome is Status.DELIVERED else notification.updated_at
    )
    was_reported = (
        outcome in ENDS
        and notification.sent_at == answered_at
        and reported_at is not None
        and reported_at > answered_at
    )
    number, reason = attempt.number, attempt.reason or UNSET
    if not was_reported or reported_at is None:
        return [MomentShape(status=outcome, at=answered_at, attempt=number, reason=reason)]
    return [
        MomentShape(status=Status.SENT, at=answered_at, attempt=number),
        MomentShape(status=outcome, at=reported_at, attempt=number, reason=reason),
    ]


def _moment(status: Status, at: Any, reason: str) -> MomentShape:
    return MomentShape(status=status, at=at, reason=reason or UNSET)
