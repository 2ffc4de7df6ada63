"""What Prometheus sees of what deliveries teach."""

from prometheus_client import Counter, Gauge

TOLD = Counter(
    "carillon_address_reports_total",
    "What the user service was told of addresses: suppressed, refused (it cannot be, and is "
    "forgotten), failed (to be told again).",
    ["outcome"],
)
PENDING = Gauge(
    "carillon_address_reports_pending",
    "Addresses that the user service is still to be told of, after the last look.",
)
