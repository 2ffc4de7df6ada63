"""The series that exist: those of docs/metrics.md, those of servers, those of recording rules."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/prometheus/rules"

# What others tell: series, and the labels that they have beside `job` and `instance`.
OTHERS: dict[str, frozenset[str]] = {
    "up": frozenset(),
    # RabbitMQ 3.10 to 4.x, /metrics/detailed with queue_coarse_metrics and queue_consumer_count.
    "rabbitmq_detailed_queue_messages": frozenset({"queue", "vhost"}),
    "rabbitmq_detailed_queue_messages_ready": frozenset({"queue", "vhost"}),
    "rabbitmq_detailed_queue_messages_unacked": frozenset({"queue", "vhost"}),
    "rabbitmq_detailed_queue_consumers": frozenset({"queue", "vhost"}),
    # RabbitMQ 3.10 to 4.x, /metrics.
    "rabbitmq_alarms_memory_used_watermark": frozenset(),
    "rabbitmq_alarms_free_disk_space_watermark": frozenset(),
    # The blackbox exporter's module http, and cert-manager.
    "probe_ssl_earliest_cert_expiry": frozenset(),
    "certmanager_certificate_expiration_timestamp_seconds": frozenset({"name", "namespace"}),
}
_ROW = re.compile(r"^\| `(carillon_\w+)` \| (counter|gauge|histogram) \| ([^|]*) \|", re.MULTILINE)


def load(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules(name: str) -> list[dict[str, Any]]:
    """The rules of one file."""
    return [rule for group in load(RULES / name)["groups"] for rule in group["rules"]]


def series() -> dict[str, frozenset[str]]:
    """Every series of a process or a server, with its labels."""
    known = dict(OTHERS)
    for name, kind, cell in _ROW.findall((ROOT / "docs/metrics.md").read_text(encoding="utf-8")):
        labels = frozenset(re.findall(r"`(\w+)`", cell))
        if kind == "histogram":
            known |= {f"{name}_sum": labels, f"{name}_count": labels}
            known[f"{name}_bucket"] = labels | {"le"}
        else:
            known[name] = labels
    return {name: labels | {"job", "instance"} for name, labels in known.items()}


def recorded() -> set[str]:
    """What recording rules make."""
    return {rule["record"] for rule in rules("recording.yml")}
