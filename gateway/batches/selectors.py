"""Reads."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from carillon.contracts import ids
from carillon.contracts.status import Status
from gateway.batches.errors import BatchNotFound
from gateway.batches.models import Batch

# By notification_batch: as many index entries and rows as the batch has notifications.
PROGRESS = """
    SELECT status, count(*), min(queued_at), max(updated_at)
    FROM notifications_notification
    WHERE organization_id = %s AND batch_id = %s
    GROUP BY status
"""

# Of these a step of ours is still to come; what was sent waits for the provider's receipt alone.
_OPEN = frozenset(
    {Status.SCHEDULED, Status.ACCEPTED, Status.QUEUED, Status.PROCESSING, Status.RETRYING}
)
# These were never handed over. (What waits to be tried again was.)
_KEPT = frozenset({Status.SCHEDULED, Status.ACCEPTED, Status.REJECTED, Status.CANCELLED})


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a batch's notifications are; the times are None where nothing has happened yet."""

    counts: dict[Status, int]
    first_queued_at: datetime | None
    last_updated_at: datetime | None

    @property
    def open(self) -> int:
        """How many we still have something to do with."""
        return sum(many for status, many in self.counts.items() if status in _OPEN)

    @property
    def cancelled(self) -> int:
        """How many were taken back."""
        return self.counts.get(Status.CANCELLED, 0)

    @property
    def gone(self) -> int:
        """How many were handed over, whatever became of them."""
        return sum(many for status, many in self.counts.items() if status not in _KEPT)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFilters:
    """Which batches; what is empty does not filter."""

    request_id: str = ""
    template_code: str = ""
    created_after: datetime | None = None
    created_before: datetime | None = None


def list_batches(organization_id: str, filters: BatchFilters) -> "QuerySet[Batch]":
    """An organization's, the newest first, without their refusals."""
    exact = {
        "request_id": filters.request_id,
        "template_code": filters.template_code,
        "created_at__gte": filters.created_after,
        "created_at__lt": filters.created_before,
    }
    return (
        Batch.objects.filter(organization_id=organization_id)
        .filter(**{name: value for name, value in exact.items() if value})
        .defer("refusals", "request_digest")
    )


def get_batch(organization_id: str, batch_id: str) -> Batch:
    """Raises BatchNotFound."""
    if ids.parse_id(ids.BATCH, batch_id) is None:
        raise BatchNotFound
    found = Batch.objects.filter(organization_id=organization_id, pk=batch_id).first()
    if found is None:
        raise BatchNotFound
    return found


def progress_of(batch: Batch) -> Progress:
    """At this moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            PROGRESS,
            (
                ids.parse_id(ids.ORGANIZATION, batch.organization_id),
                ids.parse_id(ids.BATCH, batch.pk),
            ),
        )
        rows = cursor.fetchall()
    return Progress(
        counts={Status(status): many for status, many, _, _ in sorted(rows)},
        first_queued_at=min((queued for _, _, queued, _ in rows if queued), default=None),
        last_updated_at=max((updated for _, _, _, updated in rows), default=None),
    )
