"""What the API shows of a notification."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from carillon.contracts.status import Status
from gateway.fallbacks.shapes import FallbackShape


class AcceptedShape(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request to notify; `reason` is there where the status is rejected."""

    notification_id: str
    status: Status
    request_id: str
    correlation_id: str
    reason: str | UnsetType = UNSET


class StatusShape(msgspec.Struct, frozen=True, kw_only=True):
    """Where a notification is; `delivered_at` and the error are there once they are known.

    So is the `fallback` of one that did not arrive.
    """

    notification_id: str
    status: Status
    notification_type: str
    template_code: str | None
    created_at: datetime
    updated_at: datetime
    delivered_at: datetime | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    error_message: str | UnsetType = UNSET
    fallback: FallbackShape | UnsetType = UNSET


class SummaryShape(msgspec.Struct, frozen=True, kw_only=True):
    """A notification in a list."""

    notification_id: str
    request_id: str
    correlation_id: str
    status: Status
    reason: str | None
    notification_type: str
    lane: str
    priority: int
    category: str | None
    user_id: str | None
    recipient: str | None
    template_code: str | None
    template_version: int | None
    language: str | None
    batch_id: str | None
    metadata: dict[str, Any]
    provider: str | None
    provider_message_id: str | None
    next_attempt_at: datetime | None
    scheduled_at: datetime | None
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    error_message: str | None


class DeviceShape(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one device in an attempt; `device_id` is null for a token of the request."""

    device_id: str | None
    platform: str | None
    provider: str | None
    provider_message_id: str | None
    outcome: str
    reason: str | None
    error_code: str | None
    error_message: str | None
    possible_duplicate: bool


class AttemptShape(msgspec.Struct, frozen=True, kw_only=True):
    """One try at delivering it; `duration_ms` is the provider's time.

    `devices` is there for push: each device that this attempt was for.
    """

    number: int
    channel: str
    provider: str | None
    provider_message_id: str | None
    outcome: str
    reason: str | None
    error_code: str | None
    error_message: str | None
    started_at: datetime
    finished_at: datetime
    duration_ms: float
    possible_duplicate: bool
    devices: list[DeviceShape] | UnsetType = UNSET


class MomentShape(msgspec.Struct, frozen=True, kw_only=True):
    """One step of its life; the reason of an `accepted` that is not the first is `replayed`.

    `fallback_pending`, `fallback_sent` and `fallback_not_sent` tell of the detail's `fallback`.
    """

    status: Status
    at: datetime
    attempt: int | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class EngagementShape(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider or our own tracking reported beside the status, and how often."""

    first_at: datetime
    last_at: datetime
    count: int


class DetailShape(SummaryShape, frozen=True, kw_only=True):
    """All of a notification; `content_cleared` once retention has cleared what it said.

    `engagement` has `opened`, `clicked`, `complained`, `unsubscribed` or `deferred`, where that
    was reported. None of it changes the status. `fallback` is there where it did not arrive and
    its template names a fallback; `fallback_of` is the notification in whose place this was sent.
    """

    attempts: list[AttemptShape]
    timeline: list[MomentShape]
    engagement: dict[str, EngagementShape]
    content_cleared: bool
    fallback: FallbackShape | None
    fallback_of: str | None
