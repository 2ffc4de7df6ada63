"""What Prometheus sees of the rollups."""

from prometheus_client import Counter, Gauge

FOLDED = Counter(
    "carillon_analytics_changes_total", "Changes of counts that were added to the rollups."
)
PENDING = Gauge(
    "carillon_analytics_pending_changes",
    "Changes of counts that are not yet in the rollups, after the last look.",
)
