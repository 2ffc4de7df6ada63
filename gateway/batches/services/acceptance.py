"""Accepts bulk requests: all that can be accepted of one, in one transaction, or nothing."""

from collections import Counter
from datetime import UTC, datetime

import structlog
from django.conf import settings
from django.db import DatabaseError, IntegrityError, OperationalError, transaction
from psycopg.errors import DeadlockDetected

from carillon.contracts import ids
from carillon.web.postgresql.patience import renew
from gateway.admission.errors import RequestInProgress
from gateway.batches import metrics
from gateway.batches.asked import AcceptedBatch, BulkAsked
from gateway.batches.lookup import find_template, look_up_all
from gateway.batches.models import Batch
from gateway.batches.presentation import show_bulk
from gateway.batches.requests import InFlight, claimed, find_earlier
from gateway.batches.services.intake import Intake
from gateway.notifications.asked import Asked
from gateway.notifications.times import check_times

log = structlog.get_logger(__name__)


class _Taken(Exception):
    """Another request with this request_id was stored in the meantime."""


def accept_batch(asked: BulkAsked) -> AcceptedBatch:
    """Store what can be accepted and the promise to send it, or raise why nothing is.

    A request_id that was answered before is answered again, refusals and all.
    """
    try:
        with claimed(asked):
            return find_earlier(asked) or _accept(asked)
    except (InFlight, _Taken):
        earlier = find_earlier(asked)
    if earlier is None:
        raise RequestInProgress
    return earlier


def _accept(asked: BulkAsked) -> AcceptedBatch:
    """Raises _Taken, or why nothing is accepted."""
    now = datetime.now(UTC)
    shared = asked.shared
    check_times(shared.scheduled_at, shared.expires_at, now)
    organization_id = asked.caller.organization_id
    with metrics.LOOK_UP_SECONDS.time():
        template = find_template(organization_id, shared)
        read = list(asked.notifications())
        valid = [each for each in read if isinstance(each, Asked)]
        lookup = look_up_all(organization_id, shared, template, valid)
        renew(settings.CARILLON.database_patience)
    category = shared.category or (template.category if template else "")

    def store() -> AcceptedBatch:
        batch = _new_batch(asked, category, now)
        with metrics.STORE_SECONDS.time():
            return _store(batch, Intake(batch, read, lookup, now))

    try:
        return store()
    except OperationalError as error:
        # Another request stores recipients with the same request_ids in another order.
        if not isinstance(error.__cause__, DeadlockDetected):
            raise
    return store()


def _store(batch: Batch, intake: Intake) -> AcceptedBatch:
    """Raises _Taken, AllRefused or Django's database errors."""
    is_complete = False
    try:
        with transaction.atomic():
            _insert(batch)
            refused = intake.run()
            batch.save(update_fields=("accepted", "rejected", "replayed", "refused", "refusals"))
            is_complete = True
    except BaseException as error:
        # Whatever ended it, nothing is stored. Of a commit that failed nobody knows: what
        # PostgreSQL says of each notification later settles it.
        if not (is_complete and isinstance(error, DatabaseError)):
            intake.ledger.release()
        raise
    intake.ledger.commit()
    _tell(batch, refused)
    return AcceptedBatch(shape=show_bulk(batch), month=intake.ledger.month)


def _insert(batch: Batch) -> None:
    """First of all: who comes second waits here for the first. Raises _Taken."""
    try:
        with transaction.atomic():
            batch.save(force_insert=True)
    except IntegrityError:
        raise _Taken from None


def _new_batch(asked: BulkAsked, category: str, now: datetime) -> Batch:
    batch_id = ids.new_uuid()
    shared = asked.shared
    return Batch(
        id=ids.format_id(ids.BATCH, batch_id),
        organization_id=asked.caller.organization_id,
        request_id=asked.request_id or f"req_{batch_id.hex}",
        request_digest=asked.digest if asked.request_id else b"",
        correlation_id=asked.correlation_id,
        channel=shared.notification_type,
        mode=asked.caller.mode.value,
        template_code=shared.template_code,
        category=category,
        priority=shared.priority,
        scheduled_at=shared.scheduled_at,
        expires_at=shared.expires_at,
        created_at=now,
    )


def _tell(batch: Batch, refused: "Counter[str]") -> None:
    metrics.count_batch(batch, refused)
    log.info(
        "bulk request accepted",
        batch=batch.pk,
        accepted=batch.accepted,
        rejected=batch.rejected,
        replayed=batch.replayed,
        refused=batch.refused,
    )
