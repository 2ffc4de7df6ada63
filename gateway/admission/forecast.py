"""What a claim would be answered, of all limits at once, with nothing taken."""

import msgspec
from django.conf import settings

from carillon.contracts import ids
from gateway.admission import reservations
from gateway.admission.claims import Claim
from gateway.admission.limits import MICROSECONDS, LimitState
from gateway.admission.scripts import PEEK, RedisDown, scripts
from gateway.notifications import counting


class QuotaState(msgspec.Struct, frozen=True):
    """The month's quota before the claim; `reset` is in seconds."""

    most: int
    used: int
    reset: float

    @property
    def remaining(self) -> int:
        """What is left of it."""
        return max(0, self.most - self.used)


class Forecast(msgspec.Struct, frozen=True):
    """Each limit as the claim would find it; None where the claim takes nothing of it."""

    cap: LimitState | None
    recipient: LimitState | None
    quota: QuotaState | None


def forecast(claim: Claim) -> Forecast:
    """Asks PostgreSQL where `reservations.reserve` would, and this process where Redis is down."""
    limit = settings.GATEWAY.recipient_limit
    recipient_key, counter, _, _, cap_key = claim.keys
    if not (recipient_key or counter or cap_key):
        return Forecast(None, None, None)
    cap = claim.cap
    arguments: list[str | int] = [
        claim.notification_id.hex,
        limit.most,
        limit.seconds * MICROSECONDS,
        *((cap.most, cap.seconds * 1000, cap.send_at) if cap else (0, 0, 0)),
    ]
    try:
        found = scripts().run(PEEK, [recipient_key, counter, cap_key], arguments)
    except RedisDown:
        peek = reservations.process_limits.peek
        return Forecast(
            peek(cap_key, "category", cap.most, cap.seconds) if cap else None,
            peek(recipient_key, "recipient", limit.most, limit.seconds) if recipient_key else None,
            _quota(claim, -1),
        )
    recipient, used, capped = found
    return Forecast(
        _cap(claim, capped),
        _recipient(recipient, limit.most, limit.seconds),
        _quota(claim, used),
    )


def _recipient(reply: list[int], most: int, seconds: int) -> LimitState | None:
    if not reply:
        return None
    state = LimitState.of_reply("recipient", most, seconds, reply)
    # gcra.lua tells what is left after one more, and here there is none.
    return msgspec.structs.replace(state, remaining=state.remaining + 1) if state.allowed else state


def _cap(claim: Claim, reply: list[int]) -> LimitState | None:
    cap = claim.cap
    if cap is None:
        return None
    capped, near = reply
    left = 0 if capped else max(1, cap.most - near)
    return LimitState("category", cap.most, cap.seconds, not capped, left, 0.0, 0.0)


def _quota(claim: Claim, used: int) -> QuotaState | None:
    """`used` is what Redis counted, -1 where it did not."""
    quota = claim.quota
    if quota is None:
        return None
    if used < quota and (used < 0 or reservations.is_near(quota, used + 1)):
        organization = ids.uuid_of(ids.ORGANIZATION, claim.organization_id)
        used = counting.count_since(organization, claim.month.start)
    return QuotaState(quota, used, claim.month.left(claim.at))
