"""What Prometheus sees of callbacks."""

from prometheus_client import Counter, Gauge, Histogram

from carillon.observability.metrics import WAIT_BUCKETS

CALLBACKS = Counter(
    "carillon_callbacks_total",
    "Callbacks of providers: accepted, unverified (403), unreadable (400), too_large (413), "
    "unavailable (503: nothing was kept, the provider tries again).",
    ["provider", "result"],
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
    "Reports that wait for their notification or their turn, after the last look.",
)
LAG = Histogram(
    "carillon_callback_event_lag_seconds",
    "From a callback's 200 to its effect, of the oldest report of each batch.",
    buckets=WAIT_BUCKETS,
)
