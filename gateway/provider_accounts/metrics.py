"""What Prometheus sees of checks of provider accounts."""

from prometheus_client import Counter

VERIFICATIONS = Counter(
    "carillon_gateway_account_verifications_total",
    "Checks of organizations' provider accounts: asked, unavailable (Redis could not be asked), "
    "and what workers told: verified, failed, unverifiable, late (not waited for any more).",
    ["channel", "result"],
)
