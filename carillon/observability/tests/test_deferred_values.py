"""Nothing is lost and nothing counted twice on the way into prometheus_client's files."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, multiprocess, values

from carillon.observability import deferred_values
from carillon.observability.deferred_values import DeferredValue, Writer

Samples = dict[str, float]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    return tmp_path


def written(folder: Path) -> Samples:
    """What a scrape would find in the files."""
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    return {
        sample.name + sample.labels.get("le", ""): sample.value
        for metric in registry.collect()
        for sample in metric.samples
    }


def started(scenario: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "carillon.observability.tests.counting", scenario],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def ended(scenario: str) -> str:
    """What it said; it ended well."""
    process = started(scenario)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return said


def counts(times: int, *, gauge: float) -> Samples:
    return {
        "seen_total": times,
        "took_seconds_sum": 1.5 * times,
        "took_seconds_count": times,
        "took_seconds_bucket1.0": 0.0,
        "took_seconds_bucket2.0": times,
        "took_seconds_bucket+Inf": times,
        "open_now": gauge,
    }


@pytest.fixture
def plain() -> Any:
    """The client's own value."""
    one: Any = values.MultiProcessValue()  # type: ignore[no-untyped-call]
    return one("counter", "some", "some_total", (), (), "Some.")


@pytest.fixture
def value(plain: Any) -> DeferredValue:
    return DeferredValue(plain, Writer())


def test_two_processes_are_summed_and_lose_nothing_at_their_end(folder: Path) -> None:
    both = [started("wait"), started("wait")]
    for each in both:
        each.communicate(timeout=60)
    assert written(folder) == counts(8, gauge=8)


def test_a_running_process_is_a_second_late(folder: Path) -> None:
    process = started("wait")
    assert process.stdout is not None
    assert process.stdout.readline() == "counted\n"
    # Gauges are there at once.
    assert written(folder)["open_now"] == 4
    deadline = time.monotonic() + 30
    while written(folder) != counts(4, gauge=4) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    assert written(folder) == counts(4, gauge=4)


def test_whoever_answers_a_scrape_has_written_all_of_its_own() -> None:
    page = ended("scrape").splitlines()
    assert {'seen_total{kind="plain"} 2.0', "took_seconds_count 2.0"} <= set(page)


def test_a_fork_does_not_write_what_its_parent_counted(folder: Path) -> None:
    ended("fork")
    assert written(folder) == counts(11, gauge=6)


def test_a_fork_has_a_thread_of_its_own(folder: Path) -> None:
    ended("fork_and_vanish")
    assert written(folder) == counts(11, gauge=6)


def test_many_threads_lose_nothing(folder: Path) -> None:
    ended("threads")
    assert written(folder) == counts(40_000, gauge=5_000)


def test_what_waits_is_limited(
    value: DeferredValue, plain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deferred_values, "EVERY_SECONDS", 3600)
    most = deferred_values.MOST_PENDING
    for _ in range(most * 2 + most // 2):
        value.inc(1)
    assert plain.get() >= 2 * most
    assert value.get() == most * 2.5


def test_setting_it_discards_what_was_counted_before(value: DeferredValue) -> None:
    value.inc(1)
    value.inc(2)
    value.set(10.0)
    value.inc(0.5)
    assert value.get() == 10.5


def test_without_a_thread_each_is_written_at_once(
    value: DeferredValue, plain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        value.inc(1)
        value.inc(2)
        assert plain.get() == 3
    value.inc(3)
    value.inc(4)
    assert value.get() == 10


def test_an_amount_that_is_no_number_ends_nothing(
    plain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deferred_values, "EVERY_SECONDS", 0.01)
    value = DeferredValue(plain, Writer())
    value.inc(1)
    value.inc("two")  # type: ignore[arg-type]
    deadline = time.monotonic() + 10
    while value._pending and time.monotonic() < deadline:
        time.sleep(0.01)
    value.inc(3)
    assert value.get() == 4


def test_in_one_process_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR")
    before = values.ValueClass
    deferred_values.install()
    assert values.ValueClass is before
