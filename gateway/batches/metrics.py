"""Counts and times of bulk requests; their notifications count as single ones do."""

from collections.abc import Mapping

from prometheus_client import Histogram

from carillon.contracts.status import Status
from gateway.batches.models import Batch
from gateway.notifications.metrics import ACCEPTED, REFUSED, REPLAYED

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_RECIPIENTS = (1, 10, 100, 500, 1_000, 2_500, 5_000, 10_000)

DURATION = Histogram(
    "carillon_bulk_duration_seconds",
    "Time of the two stages of accepting a bulk request, look_up and store.",
    ["stage"],
    buckets=_BUCKETS,
)
# Users, suppressions and the template: Redis, or the internal services.
LOOK_UP_SECONDS = DURATION.labels("look_up")
# Words, limits, quota and the inserts: processor, Redis and PostgreSQL.
STORE_SECONDS = DURATION.labels("store")
RECIPIENTS = Histogram(
    "carillon_bulk_recipients",
    "Recipients that bulk requests named.",
    buckets=_RECIPIENTS,
)


def count_batch(batch: Batch, refused: Mapping[str, int]) -> None:
    """A bulk request that was stored; `refused` are its refusals by error code."""
    scheduled = batch.scheduled_at is not None and batch.scheduled_at > batch.created_at
    status = Status.SCHEDULED if scheduled else Status.ACCEPTED
    RECIPIENTS.observe(batch.total)
    for count, of in (
        (batch.accepted, ACCEPTED.labels(batch.channel, status.value)),
        (batch.rejected, ACCEPTED.labels(batch.channel, Status.REJECTED.value)),
        (batch.replayed, REPLAYED.labels(batch.channel)),
    ):
        if count:
            of.inc(count)
    for code, count in refused.items():
        REFUSED.labels(batch.channel, code).inc(count)
