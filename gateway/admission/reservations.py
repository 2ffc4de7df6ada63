"""Request ids, limits, caps and the monthly quota: reserved at once, settled afterwards.

A reservation is counted at once and remembered under the notification's id. Committing takes the
id off that list; it is never urgent, so it travels with the process's next reservation. An id that
stays on the list for minutes is suspicious, and whoever reserves next asks PostgreSQL what became
of it: nothing else has to run.

Redis may lose its data, or be down for some and not for others. It is therefore only trusted far
from the limit: within a margin of it, and whenever Redis cannot be asked, PostgreSQL counts inside
the inserting transaction, one request of the organization at a time.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings

from carillon.contracts import ids
from gateway.admission.claims import Claim, Reservation
from gateway.admission.errors import QuotaExceeded, RateLimitExceeded
from gateway.admission.limits import MICROSECONDS, ProcessLimits
from gateway.admission.scripts import RELEASE, RESERVE, RedisDown, scripts
from gateway.notifications import counting

log = structlog.get_logger(__name__)

SUSPICIOUS_SECONDS = 600
KEPT_SECONDS = 40 * 86_400
# PostgreSQL remembers request_ids for good; the marker only spares it work.
MARKER_SECONDS = 600
MARGIN_LEAST = 64
MARGIN_SHARE = 100
_SETTLED_AT_ONCE = 50

# What is counted where Redis cannot be asked.
process_limits = ProcessLimits()
# A reservation to take off its list: key of the list, notification id.
Settled = tuple[str, str]
_committed: deque[Settled] = deque(maxlen=100_000)
# Counters that missed notifications while Redis was down.
_outdated: set[str] = set()


class Began(Exception):
    """A request with this request_id began `age` seconds ago; PostgreSQL knows how it went."""

    def __init__(self, age: int) -> None:
        super().__init__(age)
        self.age = age


class Capped(Exception):
    """The recipient gets no more of this category for now."""


def reserve(claim: Claim) -> Reservation:
    """Take the claim, or nothing of it.

    Raises Began, Capped, RateLimitExceeded or QuotaExceeded, the first of these that is true.
    """
    if not any(claim.keys):
        return Reservation(claim, in_redis=False)
    try:
        forget_outdated(claim)
        verdict, used, recipient, suspects = _run_reserve(claim)
    except RedisDown:
        return reserve_without_redis(claim)
    if suspects:
        settle_suspects(claim, suspects)
        if verdict == b"quota":
            verdict, used, recipient, _ = _run_reserve(claim)
    if verdict == b"began":
        raise Began(used)
    if verdict == b"capped":
        raise Capped
    if verdict == b"recipient_limit":
        raise recipient_limit_exceeded(recipient[2] / MICROSECONDS)
    if verdict == b"quota":
        raise exceeded(claim)
    return granted(claim, used)


def granted(claim: Claim, used: int) -> Reservation:
    """What Redis took of the limits; `used` is of the quota, with this one."""
    return Reservation(claim, must_count=is_near(claim.quota, used), used=used)


def commit(reservation: Reservation) -> None:
    """The notification is stored: its reservation stands."""
    claim = reservation.claim
    if reservation.in_redis and claim.quota is not None:
        _committed.append((claim.keys[2], claim.notification_id.hex))


def release(reservation: Reservation) -> None:
    """The notification is not stored: give back what it took."""
    limit = settings.GATEWAY.recipient_limit
    claim = reservation.claim
    if not reservation.in_redis:
        if claim.recipient is not None:
            process_limits.give_back(claim.keys[0], limit.most, limit.seconds)
        if claim.cap is not None:
            process_limits.give_back(claim.cap.key, claim.cap.most, claim.cap.seconds)
        return
    try:
        scripts().run(
            RELEASE,
            claim.keys,
            [claim.notification_id.hex, limit.most, limit.seconds * MICROSECONDS],
        )
    except RedisDown:
        # The reservation becomes suspicious and is then released; see above.
        log.warning("reservation not released")


def forget_request(claim: Claim) -> None:
    """Nothing is known to be stored: let the request_id be used again at once."""
    marker = claim.keys[3]
    if not marker:
        return
    try:
        scripts().command("DEL", marker)
    except RedisDown:
        # It frees itself when no request can be in flight any more.
        return


def must_recount(claim: Claim) -> None:
    """PostgreSQL counted more than Redis knew: Redis shall ask it again."""
    _outdated.add(claim.keys[1])


def forget_outdated(claim: Claim) -> None:
    """Make Redis ask PostgreSQL where its counter missed something. Raises RedisDown."""
    if is_outdated(claim):
        counter = claim.keys[1]
        scripts().command("DEL", counter)
        _outdated.discard(counter)


def is_outdated(claim: Claim) -> bool:
    """Whether Redis's counter missed something that this process knows of."""
    return claim.keys[1] in _outdated


def is_near(quota: int | None, used: int) -> bool:
    """True where so little of the quota is left that PostgreSQL has to count."""
    return quota is not None and quota - used < _margin_of(quota)


def _margin_of(quota: int) -> int:
    """How near to the quota Redis is not trusted."""
    return max(MARGIN_LEAST, quota // MARGIN_SHARE)


def exceeded(claim: Claim) -> QuotaExceeded:
    """The refusal of a claim that is over the quota."""
    return QuotaExceeded(claim.quota or 0, claim.month.left(claim.at))


def _run_reserve(claim: Claim) -> tuple[bytes, int, list[int], list[bytes]]:
    """reserving.lua's reply; counts first where Redis lost the counter. Raises RedisDown."""
    reply = _send_reserve(claim, counted="")
    if reply[0] == b"uncounted":
        organization = ids.uuid_of(ids.ORGANIZATION, claim.organization_id)
        counted = counting.count_since(organization, claim.month.start)
        reply = _send_reserve(claim, counted=str(counted))
    verdict, used, recipient, suspects = reply
    return verdict, used, recipient, suspects


def _send_reserve(claim: Claim, *, counted: str) -> Any:
    settled = take_settled()
    try:
        return scripts().run(RESERVE, claim.keys, arguments(claim, settled, counted=counted))
    except RedisDown:
        settle_later(settled)
        raise


def arguments(
    claim: Claim, settled: Sequence[Settled], *, counted: str = "", is_foreseen: bool = False
) -> list[str | int]:
    """For reserving.lua; what is only foreseen is refused near the quota.

    So it is where anything is taken of the recipient's limit.
    """
    limit = settings.GATEWAY.recipient_limit
    cap = claim.cap
    found: list[str | int] = [
        claim.notification_id.hex,
        claim.quota or 0,
        counted,
        limit.most,
        limit.seconds * MICROSECONDS,
        SUSPICIOUS_SECONDS,
        KEPT_SECONDS,
        MARKER_SECONDS,
        *((cap.most, cap.seconds * 1000, cap.send_at) if cap else (0, 0, 0)),
        _margin_of(claim.quota or 0) if is_foreseen else 0,
        "1" if is_foreseen else "",
    ]
    for pair in settled:
        found.extend(pair)
    return found


def take_settled() -> list[Settled]:
    """What is known to be stored and still on the lists of reservations: for reserving.lua."""
    taken: list[Settled] = []
    try:
        while len(taken) < _SETTLED_AT_ONCE:
            taken.append(_committed.popleft())
    except IndexError:
        pass
    return taken


def settle_later(settled: Sequence[Settled]) -> None:
    """What was taken to be settled was not."""
    _committed.extendleft(settled)


def reserve_without_redis(claim: Claim) -> Reservation:
    """Take the claim as far as this process knows. Raises Capped or RateLimitExceeded."""
    cap = claim.cap
    if cap is not None:
        state = process_limits.take(cap.key, "category", cap.most, cap.seconds)
        if not state.allowed:
            raise Capped
    if claim.recipient is not None:
        limit = settings.GATEWAY.recipient_limit
        state = process_limits.take(claim.keys[0], "recipient", limit.most, limit.seconds)
        if not state.allowed:
            if cap is not None:
                process_limits.give_back(cap.key, cap.most, cap.seconds)
            raise recipient_limit_exceeded(state.wait)
    if claim.quota is not None:
        _outdated.add(claim.keys[1])
    return Reservation(claim, must_count=claim.quota is not None, in_redis=False)


def settle_suspects(claim: Claim, suspects: Sequence[bytes]) -> None:
    """Commit the reservations whose notification was stored, release the others."""
    found = counting.existing([UUID(hex=raw.decode()) for raw in suspects])
    _, counter, reservations, _, _ = claim.keys
    for raw in suspects:
        notification_id = raw.decode()
        if UUID(hex=notification_id) in found:
            _committed.append((reservations, notification_id))
            continue
        log.warning("abandoned reservation released", notification_id=notification_id)
        try:
            # Of which cap it took one is not known: that lasts no longer than the cap's window.
            scripts().run(RELEASE, ["", counter, reservations, "", ""], [notification_id, 1, 1])
        except RedisDown:
            return


def recipient_limit_exceeded(wait: float) -> RateLimitExceeded:
    """The refusal of a claim whose recipient gets too many; `wait` is in seconds."""
    limit = settings.GATEWAY.recipient_limit
    return RateLimitExceeded(
        f"A recipient gets at most {limit.most} notifications in {limit.seconds} seconds on a "
        "channel.",
        wait,
    )
