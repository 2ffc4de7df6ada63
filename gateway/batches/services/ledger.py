"""What a bulk request took of limits and quota, until its transaction has ended."""

from collections.abc import Sequence
from uuid import UUID

from gateway.admission import bulk_reservations, reservations
from gateway.admission.bulk_reservations import Outcome
from gateway.admission.claims import Claim, Reservation
from gateway.admission.limits import LimitState
from gateway.notifications import counting


class Ledger:
    """Reserves, and settles with `commit` or `release` once it is known how it went."""

    def __init__(self, organization_id: UUID) -> None:
        self._organization_id = organization_id
        self._in_redis: dict[UUID, Claim] = {}
        self._in_process: dict[UUID, Claim] = {}
        self._last: Reservation | None = None
        # What PostgreSQL has left of the quota; None where it was not asked.
        self._room: int | None = None

    @property
    def month(self) -> LimitState | None:
        """For the RateLimit headers; None where nothing was counted."""
        return self._last.month_state() if self._last else None

    def reserve(self, claims: Sequence[Claim]) -> list[Outcome]:
        """What becomes of each of up to AT_ONCE claims, in order.

        Near the end of the quota it is PostgreSQL that counts, in the caller's transaction, and
        nobody else of the organization does until that ends.
        """
        if not claims:
            return []
        granted = bulk_reservations.reserve_many(claims)
        outcomes = list(granted.outcomes)
        taken = [c for c, outcome in zip(claims, outcomes, strict=True) if outcome is None]
        kept = self._in_redis if granted.in_redis else self._in_process
        kept.update((claim.notification_id, claim) for claim in taken)
        if taken:
            self._last = Reservation(taken[-1], in_redis=granted.in_redis, used=granted.used)
        if granted.must_count:
            over = {claim.notification_id for claim in self._over(taken)}
            for place, claim in enumerate(claims):
                if claim.notification_id in over:
                    outcomes[place] = reservations.exceeded(claim)
        return outcomes

    def give_back(self, claims: Sequence[Claim]) -> None:
        """These were not stored after all."""
        for kept, in_redis in ((self._in_redis, True), (self._in_process, False)):
            some = [claim for claim in claims if kept.pop(claim.notification_id, None)]
            if some:
                bulk_reservations.release_many(some, in_redis=in_redis)
        if self._room is not None:
            self._room += len(claims)

    def commit(self) -> None:
        """What was reserved and not given back is stored."""
        bulk_reservations.commit_many(list(self._in_redis.values()))

    def release(self) -> None:
        """Nothing is stored."""
        self.give_back([*self._in_redis.values(), *self._in_process.values()])

    def _over(self, taken: Sequence[Claim]) -> Sequence[Claim]:
        """Those of `taken` for which PostgreSQL has no room: they are given back."""
        if not taken or taken[0].quota is None:
            return ()
        if self._room is None:
            counting.lock_quota(self._organization_id)
            used = counting.count_since(self._organization_id, taken[0].month.start)
            self._room = taken[0].quota - used
        within = max(0, self._room)
        over = taken[within:]
        self._room -= len(taken)
        if over:
            self.give_back(over)
            reservations.must_recount(over[0])
        return over
