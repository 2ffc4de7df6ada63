"""What one notification asks of the limits, and what it was granted."""

import hashlib
from datetime import datetime
from uuid import UUID

import msgspec
from django.utils.functional import cached_property

from carillon.contracts.messages import Mode
from gateway.admission.limits import LimitState
from gateway.admission.months import Month


class FrequencyCap(msgspec.Struct, frozen=True):
    """At most `most` notifications of a category to one recipient within any `seconds`."""

    category: str
    most: int
    seconds: int

    def claim(
        self, organization_id: str, mode: Mode, recipient: str, send_at: datetime
    ) -> "CapClaim":
        """One more to `recipient` (a user id or an address) at `send_at`."""
        key = cap_key(organization_id, mode, self.category, recipient)
        return CapClaim(key, self.most, self.seconds, round(send_at.timestamp() * 1000))


class CapClaim(msgspec.Struct, frozen=True):
    """What one notification takes of a frequency cap; `send_at` is in Unix milliseconds."""

    key: str
    most: int
    seconds: int
    send_at: int


class Claim(msgspec.Struct, frozen=True, dict=True):
    """What one notification takes. An empty `request_id` is not claimed.

    `quota` is None where nothing is counted (a test key, or a plan without a limit), `recipient`
    where the recipient's limit does not apply, `cap` where its category has none.
    """

    notification_id: UUID
    organization_id: str
    request_id: str
    at: datetime
    quota: int | None
    recipient: str | None
    channel: str
    cap: CapClaim | None = None

    @cached_property
    def month(self) -> Month:
        """The month it counts for."""
        return Month.of(self.at)

    @cached_property
    def keys(self) -> tuple[str, str, str, str, str]:
        """Those of reserving.lua and release.lua: recipient, counter, reservations, marker, cap."""
        recipient = counter = reservations = marker = ""
        if self.quota is not None:
            counter, reservations = quota_keys(self.organization_id, self.month)
        # Digests: addresses do not belong into Redis, nor does what clients call their requests.
        if self.recipient is not None:
            recipient = recipient_key(self.organization_id, self.channel, self.recipient)
        if self.request_id:
            marker = f"carillon:request:{self.organization_id}:{_digest(self.request_id)}"
        return recipient, counter, reservations, marker, self.cap.key if self.cap else ""


class Reservation(msgspec.Struct, frozen=True):
    """A claim that was granted.

    `must_count`: Redis was not asked, or is too near the limit to be trusted, and PostgreSQL
    counts in the inserting transaction. `used` is of the quota, if `in_redis`.
    """

    claim: Claim
    must_count: bool = False
    in_redis: bool = True
    used: int = 0

    def month_state(self) -> LimitState | None:
        """For the RateLimit headers; None where nothing was counted."""
        quota = self.claim.quota
        if quota is None or not self.in_redis:
            return None
        month = self.claim.month
        left = max(0, quota - self.used)
        return LimitState("month", quota, month.seconds, True, left, month.left(self.claim.at), 0)


def quota_keys(organization_id: str, month: Month) -> tuple[str, str]:
    """Where a month's notifications are counted, and where its reservations are kept."""
    place = f"{organization_id}:{month.name}"
    return f"carillon:quota:{place}", f"carillon:reservations:{place}"


def cap_key(organization_id: str, mode: Mode, category: str, recipient: str) -> str:
    """Where a category's notifications to a recipient are counted: what a test sends is not."""
    return f"carillon:cap:{organization_id}:{mode.value}:{category}:{_digest(recipient)}"


def recipient_key(organization_id: str, channel: str, recipient: str) -> str:
    """Where a recipient's limit on a channel is kept."""
    return f"carillon:recipient:{organization_id}:{channel}:{_digest(recipient)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
