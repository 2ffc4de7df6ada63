"""What a worker says of each job: one line of log, and the metrics of its lane."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog

from carillon.contracts.messages import DeliveryJob
from carillon.worker import metrics
from carillon.worker.dedupe import Done

log = structlog.get_logger(__name__)
_stdlib_log = logging.getLogger(__name__)


@contextmanager
def call_in_flight(job: DeliveryJob, now: datetime) -> Iterator[None]:
    """Around the provider call: how long the job waited for it, and that it is under way."""
    lane = metrics.lane_metrics(job.channel, job.lane.value)
    # Clocks of two hosts may differ by more than the wait.
    lane.queue_seconds.observe(max(0.0, (now - job.queued_at).total_seconds()))
    lane.accepted_seconds.observe(max(0.0, (now - job.accepted_at).total_seconds()))
    lane.in_flight.inc()
    try:
        yield
    finally:
        lane.in_flight.dec()


def count_outcomes(outcomes: Iterable[tuple[DeliveryJob, Done]]) -> None:
    """Count jobs that came to an end; each kind of outcome once, with how many there were."""
    counts = metrics.counted(
        [(job.channel, job.lane, done.provider, done.outcome) for job, done in outcomes]
    )
    for (channel, lane, provider, outcome), count in counts.items():
        metrics.jobs(channel, lane.value, provider, outcome.value).inc(count)


def log_outcome(job: DeliveryJob, done: Done) -> None:
    """A line of log, which carries ids alone, no address and no content."""
    # Asked first: at a few thousand jobs a second, a line that nobody writes costs too.
    if not _stdlib_log.isEnabledFor(logging.INFO):
        return
    log.info(
        "attempt finished",
        channel=job.channel,
        lane=job.lane.value,
        notification_id=job.notification_id,
        attempt=job.attempt,
        correlation_id=job.correlation_id,
        provider=done.provider,
        outcome=done.outcome.value,
        duration_ms=done.duration_ms,
        **_unusual(done),
    )


def _unusual(done: Done) -> dict[str, str | bool]:
    """What most lines would carry empty; each field of a line has its price."""
    fields: dict[str, str | bool] = {}
    if done.provider_message_id:
        fields["provider_message_id"] = done.provider_message_id
    if done.reason is not None:
        fields["reason"] = done.reason.value
    if done.error_code:
        fields["error_code"] = done.error_code
    if done.possible_duplicate:
        fields["possible_duplicate"] = True
    return fields
