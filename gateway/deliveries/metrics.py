"""What Prometheus sees of delivery events."""

from prometheus_client import Counter, Histogram

from carillon.observability.metrics import LATENCY_BUCKETS, WAIT_BUCKETS

EVENTS = Counter(
    "carillon_delivery_events_total",
    "Delivery events that were new, by what they say.",
    ["outcome", "channel", "provider"],
)
EVENTS_IGNORED = Counter(
    "carillon_delivery_events_ignored_total",
    "Delivery events that changed no status: repeated, late (another one was faster), unknown (no "
    "such notification) or unreadable (parked).",
    ["kind"],
)
POSSIBLE_DUPLICATES = Counter(
    "carillon_delivery_possible_duplicates_total",
    "Attempts that may have been delivered twice.",
    ["channel"],
)
ENDED = Counter(
    "carillon_notifications_ended_total",
    "Notifications that reached an end through an event, by end and reason.",
    ["status", "channel", "reason"],
)
RETRIES = Counter(
    "carillon_delivery_retries_total", "Attempts that were scheduled anew.", ["channel"]
)
DELIVERY_SECONDS = Histogram(
    "carillon_delivery_duration_seconds",
    "From the 202 to delivered.",
    ["channel"],
    buckets=WAIT_BUCKETS,
)
EVENT_LAG = Histogram(
    "carillon_delivery_event_lag_seconds",
    "From an outcome in a worker to its commit here, of the oldest event of each batch.",
    buckets=WAIT_BUCKETS,
)
BATCH_EVENTS = Histogram(
    "carillon_delivery_event_batch_size",
    "Events per transaction.",
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000),
)
BATCH_SECONDS = Histogram(
    "carillon_delivery_event_batch_duration_seconds",
    "One batch, from its first statement to its commit.",
    buckets=LATENCY_BUCKETS,
)
DATABASE_FAILURES = Counter(
    "carillon_delivery_database_failures_total",
    "Batches that the database failed; each is kept and tried again.",
)
RECONCILED = Counter(
    "carillon_reconciled_total",
    "Stuck notifications that were resolved: requeued, unknown (failed, outcome unknown).",
    ["action"],
)
DEVICES_DISABLED = Counter(
    "carillon_devices_disabled_total",
    "Devices that the user service was told are gone, because their push service says so.",
)
RECEIPTS_MISSING = Counter(
    "carillon_receipts_missing_total",
    "Notifications whose receipt did not come within expect_receipt_within: sent_again (by another "
    "provider), fallen_back (its template's fallback is to say it; so are those that failed for "
    "good), left (it had ended meanwhile, has expired, or there is no other provider).",
    ["channel", "result"],
)
