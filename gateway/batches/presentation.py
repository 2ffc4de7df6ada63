"""Turns a stored batch into what the API shows."""

from typing import Any

import msgspec

from gateway.batches.models import Batch
from gateway.batches.selectors import Progress
from gateway.batches.shapes import (
    BatchShape,
    BulkShape,
    CancelledShape,
    ProgressShape,
    Refusal,
    State,
)


def show_bulk(batch: Batch) -> BulkShape:
    """The answer to its request, whenever it is repeated."""
    return BulkShape(
        batch_id=batch.pk,
        request_id=batch.request_id,
        correlation_id=batch.correlation_id,
        accepted=batch.accepted,
        rejected=batch.rejected,
        replayed=batch.replayed,
        refused=batch.refused,
        refusals=_refusals(batch),
    )


def show_batch(batch: Batch) -> BatchShape:
    """As it was accepted."""
    return BatchShape(**_accepted(batch))


def show_progress(batch: Batch, progress: Progress, *, refusals: bool = False) -> ProgressShape:
    """With where its notifications are."""
    state = state_of(batch, progress)
    return ProgressShape(
        **_accepted(batch),
        state=state,
        counts=progress.counts,
        started_at=progress.first_queued_at,
        finished_at=None if progress.open else progress.last_updated_at,
        refusals=_refusals(batch) if refusals else msgspec.UNSET,
    )


def show_cancelled(batch: Batch, progress: Progress) -> CancelledShape:
    """After cancelling."""
    return CancelledShape(
        batch_id=batch.pk,
        state=state_of(batch, progress),
        cancelled=progress.cancelled,
        gone=progress.gone,
        counts=progress.counts,
    )


def state_of(batch: Batch, progress: Progress) -> State:
    """One word for all of its notifications."""
    if batch.cancelled_at is not None:
        return State.CANCELLED
    if not progress.open:
        return State.DONE
    return State.SENDING if progress.gone else State.PENDING


def _accepted(batch: Batch) -> dict[str, Any]:
    return {
        "batch_id": batch.pk,
        "request_id": batch.request_id,
        "correlation_id": batch.correlation_id,
        "notification_type": batch.channel,
        "template_code": batch.template_code or None,
        "category": batch.category or None,
        "priority": batch.priority,
        "total": batch.total,
        "accepted": batch.accepted,
        "rejected": batch.rejected,
        "replayed": batch.replayed,
        "refused": batch.refused,
        "created_at": batch.created_at,
        "scheduled_at": batch.scheduled_at,
        "expires_at": batch.expires_at,
        "cancelled_at": batch.cancelled_at,
    }


def _refusals(batch: Batch) -> list[Refusal]:
    return msgspec.convert(batch.refusals, list[Refusal])
