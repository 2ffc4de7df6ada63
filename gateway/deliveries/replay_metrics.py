"""What Prometheus sees of replays: of the gateway's part in deliveries. The rest is `events`'."""

from prometheus_client import Counter

REPLAYED = Counter(
    "carillon_dead_letters_replayed_total",
    "Failed notifications that somebody had sent again: accepted, or rejected because their "
    "recipient does not want them or cannot be reached any more.",
    ["result"],
)
