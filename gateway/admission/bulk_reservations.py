"""Reserving for the recipients of a bulk request: by the hundred, and each for itself.

What `gateway.admission.reservations` says of one notification holds for each of them: the same
keys, the same margin near the quota, the same settling of what was abandoned. Their request_ids
are not claimed: PostgreSQL knows those that were used.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import structlog
from django.conf import settings

from carillon.contracts import ids
from carillon.web.errors import ApiError
from gateway.admission import reservations
from gateway.admission.claims import Claim, Reservation
from gateway.admission.errors import RateLimitExceeded
from gateway.admission.limits import MICROSECONDS
from gateway.admission.scripts import RedisDown, Script, scripts
from gateway.notifications import counting

log = structlog.get_logger(__name__)

RESERVE_MANY = Script("gcra", "caps", "bulk_reserve")
RELEASE_MANY = Script("gcra", "bulk_release")

# Notifications in one script: while it runs, some milliseconds, Redis serves nobody else.
AT_ONCE = 500

_QUOTA, _CAPPED = -1, -2

# None is reserved; an error says why not.
Outcome = ApiError | reservations.Capped | None


class Granted(msgspec.Struct, frozen=True):
    """What became of each claim, in order; `must_count`, `in_redis` and `used` as in Reservation.

    `used` is of the quota after the last of them.
    """

    outcomes: Sequence[Outcome]
    must_count: bool = False
    in_redis: bool = True
    used: int = 0


def reserve_many(claims: Sequence[Claim]) -> Granted:
    """Take each claim for which there is room, the first of them first.

    They are 1 to AT_ONCE, of one organization, quota, channel and month, without request_ids.
    """
    first = claims[0]
    if not any(any(claim.keys) for claim in claims):
        return Granted([None] * len(claims), in_redis=False)
    try:
        reservations.forget_outdated(first)
        used, suspects, verdicts = _run(claims)
        if suspects:
            reservations.settle_suspects(first, suspects)
            if _QUOTA in verdicts:
                taken = [c for c, verdict in zip(claims, verdicts, strict=True) if verdict == 0]
                if taken:
                    _give_back(taken)
                used, _, verdicts = _run(claims)
    except RedisDown:
        return _reserve_without_redis(claims)
    return Granted(
        [_outcome(first, verdict) for verdict in verdicts],
        must_count=reservations.is_near(first.quota, used),
        used=used,
    )


def commit_many(claims: Sequence[Claim]) -> None:
    """The notifications of these claims, which Redis granted, are stored."""
    counted = [claim for claim in claims if claim.quota is not None]
    for start in range(0, len(counted), AT_ONCE):
        some = counted[start : start + AT_ONCE]
        names = [claim.notification_id.hex for claim in some]
        try:
            scripts().command("ZREM", some[0].keys[2], *names)
        except RedisDown:
            for claim in some:
                reservations.commit(Reservation(claim))


def release_many(claims: Sequence[Claim], *, in_redis: bool) -> None:
    """The notifications of these claims are not stored: give back what they took."""
    if not in_redis:
        for claim in claims:
            reservations.release(Reservation(claim, in_redis=False))
        return
    try:
        for start in range(0, len(claims), AT_ONCE):
            _give_back(claims[start : start + AT_ONCE])
    except RedisDown:
        # They become suspicious and are then released.
        log.warning("reservations not released", notifications=len(claims))


def _run(claims: Sequence[Claim]) -> tuple[int, list[bytes], list[int]]:
    """bulk_reserve.lua's reply; counts first where Redis lost the counter. Raises RedisDown."""
    reply = _send(claims, counted="")
    if reply[0] == b"uncounted":
        first = claims[0]
        organization = ids.uuid_of(ids.ORGANIZATION, first.organization_id)
        counted = counting.count_since(organization, first.month.start)
        reply = _send(claims, counted=str(counted))
    _, used, suspects, verdicts = reply
    return used, suspects, verdicts


def _send(claims: Sequence[Claim], *, counted: str) -> Any:
    limit = settings.GATEWAY.recipient_limit
    arguments: list[str | int] = [
        claims[0].quota or 0,
        counted,
        limit.most,
        limit.seconds * MICROSECONDS,
        reservations.SUSPICIOUS_SECONDS,
        reservations.KEPT_SECONDS,
    ]
    for claim in claims:
        cap = claim.cap
        of_cap = (cap.most, cap.seconds * 1000, cap.send_at) if cap else (0, 0, 0)
        arguments.extend((claim.notification_id.hex, *of_cap))
    return scripts().run(RESERVE_MANY, _keys(claims), arguments)


def _give_back(claims: Sequence[Claim]) -> None:
    """Raises RedisDown."""
    limit = settings.GATEWAY.recipient_limit
    arguments: list[str | int] = [limit.most, limit.seconds * MICROSECONDS]
    arguments.extend(claim.notification_id.hex for claim in claims)
    scripts().run(RELEASE_MANY, _keys(claims), arguments)


def _keys(claims: Sequence[Claim]) -> list[str]:
    _, counter, reserved, _, _ = claims[0].keys
    keys = [counter, reserved]
    for claim in claims:
        recipient, _, _, _, cap = claim.keys
        keys.extend((recipient, cap))
    return keys


def _outcome(claim: Claim, verdict: int) -> Outcome:
    if verdict == 0:
        return None
    if verdict == _QUOTA:
        return reservations.exceeded(claim)
    if verdict == _CAPPED:
        return reservations.Capped()
    return reservations.recipient_limit_exceeded(verdict / MICROSECONDS)


def _reserve_without_redis(claims: Sequence[Claim]) -> Granted:
    outcomes: list[Outcome] = []
    for claim in claims:
        try:
            reservations.reserve_without_redis(claim)
        except (reservations.Capped, RateLimitExceeded) as refusal:
            outcomes.append(refusal)
        else:
            outcomes.append(None)
    return Granted(outcomes, must_count=claims[0].quota is not None, in_redis=False)
