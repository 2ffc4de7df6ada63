"""What the API shows of a fallback."""

from datetime import datetime

import msgspec

from carillon.contracts.status import Status
from gateway.fallbacks.models import FallbackStatus


class FallbackShape(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent in place of a notification that did not arrive.

    `cause` is `no_receipt`, or the reason for which it failed. `notification_id` is the
    notification on the other channel, and `notification_status` its status; both are null while
    `status` is pending, and where it is not_sent: then `reason` and `message` say why.
    """

    channel: str
    template_code: str
    cause: str
    status: FallbackStatus
    reason: str | None
    message: str | None
    notification_id: str | None
    notification_status: Status | None
    created_at: datetime
    settled_at: datetime | None
