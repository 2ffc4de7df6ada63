"""Prometheus exposition, in one process or over gunicorn's several."""

import os

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest, multiprocess

from carillon.observability import deferred_values

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Seconds. From a cached read to a provider that hangs until its timeout.
LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
# Seconds. From an idle queue to a backlog of an hour.
WAIT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)


def exposition() -> bytes:
    """All metrics in the text format; summed over workers where PROMETHEUS_MULTIPROC_DIR is set."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    deferred_values.write_all()
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
