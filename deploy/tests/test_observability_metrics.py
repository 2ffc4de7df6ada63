"""docs/metrics.md is current, and every metric is one that Prometheus can keep."""

import re

import pytest

from deploy.compose.process import PROCESSES
from deploy.metrics_reference import (
    LABELS,
    MODULES,
    PAGE,
    Metric,
    UnknownLabel,
    every_process,
    page,
)

# Labels of these meanings grow with the clients and their users.
UNBOUNDED = re.compile(
    r"(^|_)(id|uuid|key|token|user|organization|tenant|template|notification|address|recipient|"
    r"email|phone|path|url|ip|host|message|error|subject|correlation|trace|instance|job)($|_)"
)
# What is counted, and so needs no unit.
COUNTED = ("rows", "size", "recipients")


@pytest.fixture(scope="module")
def metrics() -> dict[str, list[Metric]]:
    """The metrics of each process, from the code."""
    return every_process()


@pytest.fixture(scope="module")
def distinct(metrics: dict[str, list[Metric]]) -> list[Metric]:
    """Every metric once."""
    return sorted({metric for own in metrics.values() for metric in own})


def test_the_page_is_what_the_code_says(metrics: dict[str, list[Metric]]) -> None:
    wanted = page(metrics)
    assert PAGE.read_text(encoding="utf-8") == wanted, "run: python -m deploy.metrics_reference"


def test_every_process_is_described_and_has_metrics(metrics: dict[str, list[Metric]]) -> None:
    assert set(MODULES) == set(PROCESSES)
    for process, own in metrics.items():
        assert own, process


def test_a_name_means_the_same_everywhere(distinct: list[Metric]) -> None:
    names = [metric.name for metric in distinct]
    assert sorted(set(names)) == names


def test_names_follow_the_conventions(distinct: list[Metric]) -> None:
    for metric in distinct:
        name = metric.name
        assert re.fullmatch(r"carillon(_[a-z]+)+", name), name
        assert (metric.type == "counter") == name.endswith("_total"), name
        assert metric.type in {"counter", "gauge", "histogram"}, name
        assert not name.endswith(("_bucket", "_sum", "_count", "_info")), name
        assert not re.search(r"_(ms|millis|milliseconds|minutes|hours|kb|mb|percent)(_|$)", name)
        if metric.type == "histogram":
            assert name.endswith("_seconds") or name.rpartition("_")[2] in COUNTED, name
        if re.search(r"_(age|lag|duration|latency)(_|$)", name):
            assert name.endswith("_seconds"), name


def test_helps_are_sentences(distinct: list[Metric]) -> None:
    for metric in distinct:
        assert re.fullmatch(r"[A-Z0-9].+\.", metric.help), metric.name
        assert "|" not in metric.help, "it would end a cell of the page"


def test_labels_are_bounded(distinct: list[Metric]) -> None:
    for metric in distinct:
        for label in metric.labels:
            assert not UNBOUNDED.search(label), (metric.name, label)
            assert label in LABELS, (metric.name, label)


def test_no_label_is_explained_that_nothing_has(distinct: list[Metric]) -> None:
    assert set(LABELS) == {label for metric in distinct for label in metric.labels}


def test_buckets_rise_and_reach_from_milliseconds_to_a_timeout(distinct: list[Metric]) -> None:
    histograms = [metric for metric in distinct if metric.type == "histogram"]
    assert histograms
    for metric in histograms:
        assert list(metric.buckets) == sorted(set(metric.buckets)), metric.name
        if metric.name.endswith("_seconds"):
            assert metric.buckets[0] <= 0.005, metric.name
            assert metric.buckets[-1] >= 30, metric.name


def test_an_unknown_label_stops_the_page() -> None:
    metric = Metric("carillon_sent_total", "counter", "Sent.", ("user_id",))
    with pytest.raises(UnknownLabel, match="user_id"):
        page({"gateway": [metric]})
