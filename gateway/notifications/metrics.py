"""Counts and times of admission."""

from functools import cache

from prometheus_client import Counter, Histogram

from carillon.observability.metrics import LATENCY_BUCKETS
from gateway.notifications.asked import Accepted

ACCEPTED = Counter(
    "carillon_notifications_accepted_total",
    "Requests that stored a notification, by what became of it at once.",
    ["channel", "status"],
)
REPLAYED = Counter(
    "carillon_notifications_replayed_total",
    "Requests that repeated an earlier request_id.",
    ["channel"],
)
REFUSED = Counter(
    "carillon_notifications_refused_total",
    "Requests to notify that were refused, by error code; channel is empty where unknown.",
    ["channel", "code"],
)
ADMISSION = Histogram(
    "carillon_admission_duration_seconds",
    "Time of the two stages of accepting a notification, compose and store.",
    ["stage"],
    buckets=LATENCY_BUCKETS,
)
# Template, user and words: Redis, or the internal services.
COMPOSE_SECONDS = ADMISSION.labels("compose")
# Limits, quota and the insert: Redis and PostgreSQL.
STORE_SECONDS = ADMISSION.labels("store")


def count_accepted(channel: str, accepted: Accepted) -> None:
    """A request that led to a notification, new or known."""
    if accepted.replayed:
        REPLAYED.labels(channel).inc()
    else:
        _accepted(channel, accepted.status.value).inc()


# One of them is counted for every notification.
@cache
def _accepted(channel: str, status: str) -> Counter:
    return ACCEPTED.labels(channel, status)


def count_refused(channel: str, code: str) -> None:
    """A request that was refused with `code`."""
    REFUSED.labels(channel, code).inc()
