"""What a worker counts. Labels come from our own tables alone, never from a message's text."""

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from prometheus_client import Counter, Gauge, Histogram

from carillon.observability.metrics import LATENCY_BUCKETS, WAIT_BUCKETS

Countable = TypeVar("Countable", bound=Hashable)

JOBS = Counter(
    "carillon_worker_jobs_total",
    "Jobs that ended here, by what became of them.",
    ["channel", "lane", "provider", "outcome"],
)
CALL_SECONDS = Histogram(
    "carillon_worker_provider_call_seconds",
    "How long a provider took to answer.",
    ["channel", "provider"],
    buckets=LATENCY_BUCKETS,
)
CALLS = Counter(
    "carillon_worker_provider_calls_total",
    "Calls of a provider, by answer: accepted, temporary, permanent, unknown or defect.",
    ["channel", "provider", "answer"],
)
QUEUE_SECONDS = Histogram(
    "carillon_worker_queue_to_provider_seconds",
    "From the relay's publish to the provider call.",
    ["channel", "lane"],
    buckets=WAIT_BUCKETS,
)
ACCEPTED_SECONDS = Histogram(
    "carillon_worker_accepted_to_provider_seconds",
    "From the gateway's 202 to the provider call, waiting for a schedule or a retry included.",
    ["channel", "lane"],
    buckets=WAIT_BUCKETS,
)
DEDUPE_HITS = Counter(
    "carillon_worker_dedupe_hits_total",
    "Jobs that somebody had begun before: done, recalled, joined, started, alive.",
    ["channel", "found"],
)
POSSIBLE_DUPLICATES = Counter(
    "carillon_worker_possible_duplicates_total",
    "Messages sent although an earlier attempt may have sent them.",
    ["channel"],
)
UNMARKED = Counter(
    "carillon_worker_unmarked_sends_total",
    "Messages sent without a dedupe marker because Redis was away.",
    ["channel"],
)
UNWRITTEN = Counter(
    "carillon_worker_unwritten_outcomes_total",
    "Outcomes that could not be kept in Redis; this process alone remembers them.",
    ["channel"],
)
POISON = Counter(
    "carillon_worker_poison_total",
    "Messages put aside in the dead queue: unreadable, foreign, crashing or a defect.",
    ["channel", "cause"],
)
PARKED = Counter(
    "carillon_worker_parked_total",
    "Times a job was put back to wait: provider, owner or redis.",
    ["channel", "cause"],
)
IN_FLIGHT = Gauge(
    "carillon_worker_in_flight",
    "Jobs that a thread is at.",
    ["channel", "lane"],
    multiprocess_mode="livesum",
)
UNSETTLED = Gauge(
    "carillon_worker_unsettled",
    "Jobs taken from the queues and not yet acknowledged.",
    ["channel"],
    multiprocess_mode="livesum",
)
EVENT_RETRIES = Counter(
    "carillon_worker_event_publish_retries_total",
    "Delivery events that RabbitMQ did not confirm at once, by what it answered.",
    ["result"],
)
BREAKER_OPEN = Gauge(
    "carillon_worker_breaker_open",
    "1 while a provider is given a rest.",
    ["channel", "provider"],
    multiprocess_mode="livemax",
)
ACCOUNT_LOOKUPS = Counter(
    "carillon_worker_account_lookups_total",
    "Questions to the gateway for an organization's provider accounts: found, none or failed.",
    ["channel", "answer"],
)
ACCOUNT_ORGANIZATIONS = Gauge(
    "carillon_worker_account_organizations",
    "Organizations whose own provider accounts are held ready.",
    ["channel"],
    multiprocess_mode="livesum",
)
ACCOUNT_BREAKERS_OPEN = Gauge(
    "carillon_worker_account_breakers_open",
    "Provider accounts of organizations that are given a rest.",
    ["channel"],
    multiprocess_mode="livemax",
)
PROVIDER_CONNECTS = Counter(
    "carillon_worker_provider_connects_total",
    "Connections opened to a provider that keeps them: new, or again after a lost one.",
    ["provider", "kind"],
)


def observe_all(histogram: Histogram, values: Sequence[float]) -> None:
    """`observe` each; where several fall into one bucket it is counted up once.

    In several processes each count is a write into a mapped file, under a lock.
    """
    # prometheus_client offers no public way to observe several.
    bounds = histogram._upper_bounds
    histogram._sum.inc(sum(values))
    for index, count in counted([bisect_left(bounds, value) for value in values]).items():
        histogram._buckets[index].inc(count)


def counted(values: Iterable[Countable]) -> dict[Countable, int]:
    """How often there is each: collections.Counter takes as long to begin as to count a few."""
    counts: dict[Countable, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts


@dataclass(frozen=True, slots=True)
class LaneMetrics:
    """What every job of a lane touches, looked up once."""

    queue_seconds: Histogram
    accepted_seconds: Histogram
    in_flight: Gauge


@lru_cache(maxsize=64)
def lane_metrics(channel: str, lane: str) -> LaneMetrics:
    """The metrics of one lane of one channel."""
    return LaneMetrics(
        QUEUE_SECONDS.labels(channel, lane),
        ACCEPTED_SECONDS.labels(channel, lane),
        IN_FLIGHT.labels(channel, lane),
    )


@lru_cache(maxsize=64)
def call_seconds(channel: str, provider: str) -> Histogram:
    """How long one provider takes."""
    return CALL_SECONDS.labels(channel, provider)


@lru_cache(maxsize=256)
def calls(channel: str, provider: str, answer: str) -> Counter:
    """One provider's answers of one kind."""
    return CALLS.labels(channel, provider, answer)


@lru_cache(maxsize=512)
def jobs(channel: str, lane: str, provider: str, outcome: str) -> Counter:
    """Jobs that ended alike."""
    return JOBS.labels(channel, lane, provider, outcome)
