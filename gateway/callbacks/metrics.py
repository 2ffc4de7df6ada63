"""What Prometheus sees of callbacks."""

from prometheus_client import Counter, Gauge, Histogram

from carillon.observability.metrics import WAIT_BUCKETS

CALLBACKS = Counter(
    "carillon_callbacks_total",
    "Callbacks of providers, about the platform's own account or an organization's: accepted, "
    "unverified (403), unreadable (400), too_large (413), too_many (429), unavailable (503: "
    "nothing was kept, the provider tries again).",
    ["provider", "owner", "result"],
)
RECEIVED = Counter(
    "carillon_callback_events_received_total",
    "Reports inside the callbacks that were accepted: kept, repeated.",
    ["provider", "result"],
)
APPLIED = Counter(
    "carillon_callback_events_total",
    "Reports that were settled: applied, unknown (no such message, even after a while), ambiguous "
    "(two notifications have this message id), refused (the database took it by no means).",
    ["provider", "kind", "result"],
)
PENDING = Gauge(
    "carillon_callback_events_pending",
    "Reports that wait for their notification or their turn, at the last look.",
)
OVERDUE = Gauge(
    "carillon_callback_oldest_due_age_seconds",
    "For how long the report that has been due for longest waits for its turn, at the last look; "
    "0 where none is due.",
)
LAG = Histogram(
    "carillon_callback_event_lag_seconds",
    "From a callback's 200 to its effect, of the oldest report of each batch.",
    buckets=WAIT_BUCKETS,
)
