"""What Prometheus sees of retention."""

from prometheus_client import Counter, Gauge

CLEARED = Counter(
    "carillon_retention_cleared_total",
    "Notifications whose content and address were cleared, because of their age or their user.",
    ["cause"],
)
ERASED_CANCELLED = Counter(
    "carillon_erasure_cancelled_total",
    "Notifications that were still to be sent when their user was erased.",
)
LAST_LOOK = Gauge(
    "carillon_retention_last_success_timestamp_seconds",
    "When retention last looked for what is old and cleared all of it; Unix seconds.",
    multiprocess_mode="mostrecent",
)
