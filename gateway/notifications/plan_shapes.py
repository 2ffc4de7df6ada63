"""What the API shows of a notification that was only planned."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import Content, DeliveryPolicy


class PlanStatus(StrEnum):
    """What would become of it; of what is refused, nothing would be stored."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    REJECTED = "rejected"
    REFUSED = "refused"


class RefusalShape(msgspec.Struct, frozen=True, kw_only=True):
    """One reason not to send; `http_status` 202 where it would be stored as rejected."""

    error: str
    message: str
    http_status: int
    details: dict[str, Any] = {}


class SegmentsShape(msgspec.Struct, frozen=True, kw_only=True):
    """How many SMS the text makes; `forced_by` is the character that does not fit GSM-7."""

    encoding: str
    units: int
    segments: int
    forced_by: str | None


class QuotaShape(msgspec.Struct, frozen=True, kw_only=True):
    """The month's quota before this notification."""

    limit: int
    used: int
    remaining: int


class LimitShape(msgspec.Struct, frozen=True, kw_only=True):
    """A limit: `minute` is the organization's, after this request, the others the recipient's."""

    policy: str
    limit: int
    seconds: int
    remaining: int


class FallbackPlanShape(msgspec.Struct, frozen=True, kw_only=True):
    """What would be sent once on another channel if the notification did not arrive.

    `after_seconds` without a receipt; null: only where it fails for good. The rest is as of now,
    without the limits and the quota of that moment.
    """

    channel: str
    template_code: str
    after_seconds: int | None
    status: PlanStatus
    reason: str | None
    refusals: list[RefusalShape]
    recipients: list[str]
    content: Content | None
    providers: list[str]


class PlanShape(msgspec.Struct, frozen=True, kw_only=True):
    """What would become of a notification if it were sent now; null is "not known" or "none".

    The first of `refusals` is what decides. `stand_ins` are the last of `providers`: the
    platform's, behind the organization's own accounts.
    """

    status: PlanStatus
    reason: str | None
    refusals: list[RefusalShape]
    send_at: datetime | None
    expires_at: datetime | None
    notification_type: str
    user_id: str | None
    recipients: list[str]
    template_code: str | None
    template_version: int | None
    language: str | None
    content: Content | None
    category: str | None
    is_essential: bool | None
    lane: Lane
    priority: int
    delivery: DeliveryPolicy | None
    providers: list[str]
    stand_ins: list[str]
    sms: SegmentsShape | None
    fallback: FallbackPlanShape | None
    quota: QuotaShape | None
    limits: list[LimitShape]
