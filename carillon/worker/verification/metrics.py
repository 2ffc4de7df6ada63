"""What Prometheus sees of checks of accounts."""

from prometheus_client import Counter, Gauge

VERIFICATIONS = Counter(
    "carillon_worker_account_verifications_total",
    "Checks of organizations' provider accounts: verified, failed, unverifiable, unwanted (nobody "
    "waits for it any more), untold (the gateway could not be told), unreadable, defect.",
    ["channel", "result"],
)
UNDER_WAY = Gauge(
    "carillon_worker_account_verifications_under_way",
    "Checks of organizations' provider accounts that are being made.",
    multiprocess_mode="livesum",
)
