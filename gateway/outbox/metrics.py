"""What Prometheus sees of the outbox and its relay."""

from prometheus_client import Counter, Gauge, Histogram

from carillon.observability.metrics import LATENCY_BUCKETS

DEPTH = Gauge(
    "carillon_outbox_depth",
    "Rows in the outbox, by lane and whether they are due or scheduled for later.",
    ["lane", "state"],
)
OLDEST_DUE = Gauge(
    "carillon_outbox_oldest_due_age_seconds",
    "How long the oldest due row of a lane has been due; 0 where none is.",
    ["lane"],
)
RELAYED = Counter(
    "carillon_outbox_relayed_total",
    "Outbox rows taken, by result: confirmed; returned, nacked, unknown and unsent stay and are "
    "published again; expired, obsolete and unusable end without being published.",
    ["result"],
)
WINDOW_ROWS = Histogram(
    "carillon_outbox_window_rows",
    "Rows per window.",
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000),
)
WINDOW_SECONDS = Histogram(
    "carillon_outbox_window_duration_seconds",
    "From locking a window to its commit: the time for which its rows are locked.",
    buckets=LATENCY_BUCKETS,
)
DATABASE_FAILURES = Counter(
    "carillon_outbox_database_failures_total",
    "Windows that were given up because the database failed; their rows are taken again.",
)
