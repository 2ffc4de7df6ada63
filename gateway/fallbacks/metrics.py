"""What Prometheus sees of fallbacks."""

from prometheus_client import Counter

SETTLED = Counter(
    "carillon_fallbacks_total",
    "Notifications that did not arrive and have a fallback, by channel and what became of "
    "it: sent, not_sent (the notification says why), postponed (a service did not answer, or a "
    "limit was met; it is tried again).",
    ["channel", "result"],
)
