"""What one notification asks of the limits, and what it was granted."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

import msgspec

from gateway.admission.limits import LimitState
from gateway.admission.months import Month


@dataclass(frozen=True)
class Claim:
    """What one notification takes. An empty `request_id` is not claimed.

    `quota` is None where nothing is counted (a test key, or a plan without a limit), `recipient`
    where the recipient's limit does not apply.
    """

    notification_id: UUID
    organization_id: str
    request_id: str
    at: datetime
    quota: int | None
    recipient: str | None
    channel: str

    @cached_property
    def month(self) -> Month:
        """The month it counts for."""
        return Month.of(self.at)

    @cached_property
    def keys(self) -> tuple[str, str, str, str]:
        """Those of reserve.lua and release.lua: recipient, counter, reservations, marker."""
        recipient = counter = reservations = marker = ""
        if self.quota is not None:
            place = f"{self.organization_id}:{self.month.name}"
            counter, reservations = f"carillon:quota:{place}", f"carillon:reservations:{place}"
        # Digests: addresses do not belong into Redis, nor does what clients call their requests.
        if self.recipient is not None:
            who = _digest(self.recipient)
            recipient = f"carillon:recipient:{self.organization_id}:{self.channel}:{who}"
        if self.request_id:
            marker = f"carillon:request:{self.organization_id}:{_digest(self.request_id)}"
        return recipient, counter, reservations, marker


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


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
