"""What Prometheus sees of the broker; the labels' values are few and fixed."""

from prometheus_client import Counter, Gauge

PUBLISHED = Counter(
    "carillon_broker_published_total",
    "Messages handed to a publisher, by what is known of them.",
    ["outcome"],
)
LATE_CONFIRMS = Counter(
    "carillon_broker_late_confirms_total",
    "Answers to messages whose window was over: they were reported as unknown.",
)
DELIVERIES = Counter(
    "carillon_broker_deliveries_total",
    "Messages received, by queue and whether RabbitMQ had handed them out before.",
    ["queue", "redelivered"],
)
SETTLED = Counter(
    "carillon_broker_settled_total",
    "Deliveries settled, by queue and verdict (ack, reject, release).",
    ["queue", "verdict"],
)
CONNECTIONS = Counter(
    "carillon_broker_connections_total",
    "Connections opened and lost (failed attempts included), by role.",
    ["role", "event"],
)
BLOCKED = Gauge(
    "carillon_broker_blocked",
    "1 while RabbitMQ refuses publishes for lack of memory or disk.",
    multiprocess_mode="livemax",
)
