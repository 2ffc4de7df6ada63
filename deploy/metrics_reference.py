"""docs/metrics.md, from the code: `python -m deploy.metrics_reference` writes it.

Each process is imported in an interpreter of its own, as its command would import it, and asked
which metrics it has registered: what a process exposes depends on what it imports.
"""

import importlib
import math
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import msgspec
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from deploy.local.linting import SETTINGS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/metrics.md"
TIMEOUT = 300  # seconds to import one process
AT_ONCE = 2

# What a process's command imports, before and while it runs.
MODULES: dict[str, tuple[str, ...]] = {
    "gateway": ("gateway.wsgi", "gateway.urls", "carillon.web.middleware"),
    "user_service": ("user_service.wsgi", "user_service.urls", "carillon.web.middleware"),
    "template_service": (
        "template_service.wsgi",
        "template_service.urls",
        "carillon.web.middleware",
    ),
    "relay": ("gateway.outbox.management.commands.relay",),
    "events": ("gateway.deliveries.management.commands.events",),
    "email_worker": ("email_worker.__main__",),
    "sms_worker": ("sms_worker.__main__",),
    "push_worker": ("push_worker.__main__",),
}
DJANGO = {
    "gateway": "gateway.settings",
    "relay": "gateway.settings",
    "events": "gateway.settings",
    "user_service": "user_service.settings",
    "template_service": "template_service.settings",
}

# Every label there is. Each comes from a table of ours or from configuration; what a client sends
# (ids, addresses, template codes) would make as many series as there are clients.
LABELS: dict[str, str] = {
    "action": "which of a few actions; the metric's help names them",
    "answer": "what a provider's answer comes to",
    "cause": "why a job was put aside or back, or content cleared",
    "channel": "a channel of `carillon/contracts/channels.py`; empty where a request named none",
    "code": "an error code of the API",
    "event": "opened, lost",
    "found": "what the marker of a job said",
    "kind": "which of a few kinds; the metric's help names them",
    "lane": "high, normal, bulk",
    "method": "an HTTP method; OTHER for what is none",
    "outcome": "what became of it",
    "owner": "whose account with the provider: platform, organization",
    "provider": "a provider's name in the registry of its worker",
    "queue": "a queue of `carillon/broker/topology.py`",
    "reason": "a reason of `carillon/contracts/` for an end",
    "redelivered": "true, false",
    "result": "what became of a publish, or of a check of an account",
    "role": "which of our connections",
    "route": "a route's pattern, never the path that was asked for",
    "service": "the service that answered",
    "source": "cache, service, stale, none",
    "stage": "compose, store",
    "state": "due, scheduled",
    "status": "an HTTP status, or a notification's status",
    "verdict": "ack, reject, release",
}

INTRODUCTION = """\
# Metrics

Made from the code by `python -m deploy.metrics_reference`; a test says when it is out of date.

Every process answers `/metrics` without credentials, in Prometheus' text format; which port, says
the [runbook](runbook.md#where-everything-listens). Web services and workers of several processes
sum their metrics; the processes of a web service write their counts once a second, so a scrape may
lack the last second of some, and one that is killed loses it. Times are in seconds. A histogram
also has the series that end in `_bucket`, `_sum` and `_count`. `python_*` and `process_*` of the
Python client are there too, where a process is a single one.

RabbitMQ knows how long its queues are, and who consumes them: Prometheus asks its own endpoint,
port 15692. Scrape configuration, rules and alerts are in `deploy/prometheus/`, dashboards in
`deploy/grafana/`.
"""


class Metric(msgspec.Struct, frozen=True, order=True):
    """One metric under its name in queries; `buckets` are a histogram's upper bounds."""

    name: str
    type: str
    help: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class UnknownLabel(Exception):
    """A metric has a label that LABELS does not explain."""

    metric: str
    label: str

    def __str__(self) -> str:
        return f"{self.metric}: explain the label {self.label!r} in LABELS, and what bounds it"


def registered() -> list[Metric]:
    """The metrics of our own in this process, by name."""
    # The client has no public way to ask for the labels and buckets of what has not been observed.
    own = [each for each in REGISTRY._collector_to_names if isinstance(each, MetricWrapperBase)]
    return sorted(_described(each) for each in own)


def _described(metric: MetricWrapperBase) -> Metric:
    (family,) = metric.describe()
    suffix = "_total" if family.type == "counter" else ""
    # A labelled histogram keeps its buckets for the children that it will have.
    bounds = getattr(metric, "_upper_bounds", None) or metric._kwargs.get("buckets", ())
    return Metric(
        family.name + suffix,
        family.type,
        family.documentation,
        tuple(metric._labelnames),
        tuple(bound for bound in bounds if math.isfinite(bound)),
    )


def describe(modules: Iterable[str]) -> None:
    """Import `modules` as a process would, and write what is then registered as JSON."""
    if "DJANGO_SETTINGS_MODULE" in os.environ:
        importlib.import_module("django").setup()
    for module in modules:
        importlib.import_module(module)
    sys.stdout.write(msgspec.json.encode(registered()).decode())


def metrics_of(process: str) -> list[Metric]:
    """What `process` registers. Raises CalledProcessError where it cannot be imported."""
    environment = {**os.environ, **SETTINGS}
    environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    if process in DJANGO:
        environment["DJANGO_SETTINGS_MODULE"] = DJANGO[process]
    answer = subprocess.run(
        [sys.executable, "-m", "deploy.metrics_reference", "describe", *MODULES[process]],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        timeout=TIMEOUT,
        check=True,
    )
    return msgspec.json.decode(answer.stdout, type=list[Metric])


def every_process() -> dict[str, list[Metric]]:
    """What each process registers."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(MODULES, pool.map(metrics_of, MODULES), strict=True))


def page(metrics: Mapping[str, list[Metric]]) -> str:
    """The page. Raises UnknownLabel."""
    holders: dict[Metric, tuple[str, ...]] = {}
    for process, own in metrics.items():
        for metric in own:
            holders[metric] = (*holders.get(metric, ()), process)
    groups: dict[tuple[str, ...], list[Metric]] = {}
    for metric in sorted(holders):
        groups.setdefault(holders[metric], []).append(metric)
    order = {process: number for number, process in enumerate(metrics)}
    parts = [INTRODUCTION]
    for processes in sorted(groups, key=lambda names: [order[name] for name in names]):
        rows = "".join(_row(metric) for metric in groups[processes])
        parts.append(
            f"\n## {', '.join(processes)}\n\n"
            f"| metric | type | labels | meaning |\n|---|---|---|---|\n{rows}"
        )
    return "".join([*parts, _labels(holders), _buckets(holders)])


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
    return f"| `{metric.name}` | {metric.type} | {labels} | {metric.help} |\n"


def _labels(metrics: Iterable[Metric]) -> str:
    used: set[str] = set()
    for metric in metrics:
        for label in metric.labels:
            if label not in LABELS:
                raise UnknownLabel(metric.name, label)
            used.add(label)
    rows = "".join(f"| `{label}` | {LABELS[label]} |\n" for label in sorted(used))
    return (
        "\n## Labels\n\nThe values of each are few and ours: no ids, no addresses, nothing that a "
        f"client can choose.\n\n| label | values |\n|---|---|\n{rows}"
    )


def _buckets(metrics: Iterable[Metric]) -> str:
    rows = "".join(
        f"| `{metric.name}` | {', '.join(f'{bound:g}' for bound in metric.buckets)} |\n"
        for metric in sorted(metrics)
        if metric.buckets
    )
    return f"\n## Buckets\n\n| histogram | upper bounds |\n|---|---|\n{rows}"


def main(arguments: list[str]) -> int:
    """Write docs/metrics.md; or `describe MODULE…`, which the first calls."""
    match arguments:
        case ["describe", *modules]:
            describe(modules)
        case []:
            PAGE.write_text(page(every_process()), encoding="utf-8")
        case _:
            sys.stderr.write("usage: python -m deploy.metrics_reference\n")
            return 64
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
