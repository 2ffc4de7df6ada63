"""The recipients of one bulk request, a few hundred at a time: composed, reserved, stored.

By the hundred, so that ten thousand rendered emails are never in memory together.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from django.conf import settings

from carillon.clients.record_batches import chunks
from carillon.contracts import ids
from carillon.contracts.lanes import lane_for
from carillon.contracts.status import Status
from carillon.errors import Reason
from carillon.web.errors import ApiError, ServiceUnavailable
from carillon.web.postgresql.patience import renew
from gateway.admission import bulk_reservations, reservations
from gateway.admission.claims import Claim
from gateway.batches.asked import refusal_of
from gateway.batches.errors import AllRefused
from gateway.batches.lookup import BatchLookup
from gateway.batches.models import Batch
from gateway.batches.services.ledger import Ledger
from gateway.batches.services.repeats import find_overtaken, find_repeats
from gateway.batches.services.storing import Insertion, insertions
from gateway.notifications.acceptance import claim_for, new_notification
from gateway.notifications.asked import Asked
from gateway.notifications.composition import compose
from gateway.notifications.storage import NewNotification

AT_ONCE = bulk_reservations.AT_ONCE


class _Prepared(msgspec.Struct, frozen=True):
    """A recipient's notification before it is stored; `claim` is None where it is rejected."""

    index: int
    asked: Asked
    new: NewNotification
    claim: Claim | None

    def capped(self) -> "_Prepared":
        """Kept so that it can be looked up; not sent, and not counted."""
        new = msgspec.structs.replace(
            self.new, status=Status.REJECTED, reason=Reason.FREQUENCY_CAPPED.value
        )
        return _Prepared(self.index, self.asked, new, None)


class Intake:
    """Takes the recipients of `batch` in; runs once, within the caller's transaction.

    `read` are the recipients in order, or what is wrong with them. `ledger` has what was taken of
    limits and quota, to be settled after the transaction.
    """

    def __init__(
        self, batch: Batch, read: Sequence[Asked | ApiError], lookup: BatchLookup, now: datetime
    ) -> None:
        self._batch = batch
        self._batch_id = ids.uuid_of(ids.BATCH, batch.pk)
        self._organization_id = ids.uuid_of(ids.ORGANIZATION, batch.organization_id)
        self.ledger = Ledger(self._organization_id)
        self._read = read
        self._lookup = lookup
        self._now = now
        # By index; None for what was answered before.
        self._settled: dict[int, ApiError | None] = {}
        self._statuses: Counter[Status] = Counter()
        self._sent: tuple[Insertion, Sequence[_Prepared]] | None = None

    def run(self) -> Counter[str]:
        """Store them, fill the batch's counts in, and count the refusals by code.

        Raises AllRefused, a ServiceUnavailable or Django's database errors.
        """
        repeats = find_repeats(self._organization_id, self._read)
        self._settled.update(repeats.known)
        waiting = [
            (index, each)
            for index, each in enumerate(self._read)
            if index not in repeats.known and index not in repeats.follows
        ]
        with insertions():
            for some in chunks(waiting, AT_ONCE):
                prepared = list(self._prepare(some))
                renew(settings.CARILLON.database_patience)
                self._store(self._reserve(prepared))
            self._finish()
        for index, first in repeats.follows.items():
            self._settled[index] = self._settled.get(first)
        return self._conclude()

    def _prepare(self, some: Sequence[tuple[int, Asked | ApiError]]) -> Iterator[_Prepared]:
        """Those for whom there is something to store."""
        for index, asked in some:
            try:
                if isinstance(asked, ApiError):
                    raise asked
                composed = compose(asked, self._lookup, self._now)
            except ServiceUnavailable:
                raise
            except ApiError as refusal:
                self._settled[index] = refusal
                continue
            lane = lane_for(
                priority=asked.body.priority,
                category=composed.category,
                template_code=asked.body.template_code,
                bulk=True,
            )
            composed = msgspec.structs.replace(composed, lane=lane)
            new = new_notification(asked, composed, self._now)
            claim = None
            if new.status is not Status.REJECTED:
                claim = claim_for(asked, composed, new)
            yield _Prepared(index, asked, new, claim)

    def _reserve(self, prepared: Sequence[_Prepared]) -> list[_Prepared]:
        """Those that are to be stored, in order: limits and quota allow it, or it is rejected."""
        claiming = [each for each in prepared if each.claim is not None]
        claims = [each.claim for each in claiming if each.claim is not None]
        outcomes = dict(
            zip((each.index for each in claiming), self.ledger.reserve(claims), strict=True)
        )
        kept = []
        for each in prepared:
            outcome = outcomes.get(each.index)
            if outcome is None:
                kept.append(each)
            elif isinstance(outcome, reservations.Capped):
                kept.append(each.capped())
            else:
                self._settled[each.index] = outcome
        return kept

    def _store(self, kept: Sequence[_Prepared]) -> None:
        """Send these on their way, once those before them have arrived."""
        self._finish()
        if kept:
            self._sent = (Insertion(self._batch_id, [each.new for each in kept]), kept)

    def _finish(self) -> None:
        if self._sent is None:
            return
        insertion, kept = self._sent
        self._sent = None
        stored = insertion.stored()
        lost = [each for each in kept if each.new.id not in stored]
        if lost:
            self.ledger.give_back([each.claim for each in lost if each.claim is not None])
            overtaken = find_overtaken(
                self._organization_id, {each.index: each.asked for each in lost}
            )
            self._settled.update(overtaken)
        self._statuses.update(each.new.status for each in kept if each.new.id in stored)

    def _conclude(self) -> Counter[str]:
        refused = {index: error for index, error in self._settled.items() if error is not None}
        refusals = [refusal_of(index, error) for index, error in sorted(refused.items())]
        if len(refused) == len(self._read):
            raise AllRefused(refusals)
        batch = self._batch
        batch.refused = len(refused)
        batch.replayed = len(self._settled) - len(refused)
        batch.rejected = self._statuses[Status.REJECTED]
        batch.accepted = self._statuses.total() - batch.rejected
        batch.refusals = msgspec.to_builtins(refusals)
        return Counter(error.code for error in refused.values())
