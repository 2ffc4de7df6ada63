"""Several processes of one worker."""

import os
import signal
import urllib.error
import urllib.request
from pathlib import Path

import msgspec
import pytest

from carillon.testing.providers import delivery_job
from carillon.worker.tests.conftest import Broker
from carillon.worker.tests.harness import Platform, eventually
from carillon.worker.tests.processes import Ledger, WorkerProcess
from deploy.local.ports import private_port

pytestmark = pytest.mark.integration

JOBS = 200


@pytest.fixture
def port() -> int:
    return private_port()


@pytest.fixture
def group(tmp_path: Path, redis_url: str, broker: Broker, port: int) -> WorkerProcess:
    return WorkerProcess(
        tmp_path,
        redis_url,
        broker.url,
        EMAIL_WORKER_PROCESSES="2",
        EMAIL_WORKER_PORT=str(port),
        DELAY="0.005",
    )


def get(port: int, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        # It has ended since.
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


def dependencies(port: int) -> set[str]:
    """Those that are healthy."""
    body = msgspec.json.decode(get(port, "/health/")[1])
    return {name for name, check in body["checks"].items() if check["status"] == "healthy"}


def jobs_counted(port: int) -> float:
    """What the metrics of all processes say."""
    metrics = get(port, "/metrics")[1].decode()
    return sum(
        float(line.split()[-1])
        for line in metrics.splitlines()
        if line.startswith("carillon_worker_jobs_total{")
    )


def wait_ready(port: int) -> None:
    eventually(lambda: get(port, "/health/ready/")[0] == 200, "ready")


def test_they_share_the_work_and_the_port(
    group: WorkerProcess, platform: Platform, port: int, tmp_path: Path
) -> None:
    jobs = [delivery_job() for _ in range(JOBS)]
    with group:
        wait_ready(port)
        platform.publish(*jobs)
        platform.wait_events(JOBS)
        assert len(children_of(group.pid)) == 2
        eventually(lambda: dependencies(port) == {"redis", "rabbitmq"}, "all are healthy")
        # Counted some moments after they were told.
        eventually(lambda: jobs_counted(port) == JOBS, "all are counted")
        assert group.terminate() == 0
    assert Ledger(tmp_path).accepted == dict.fromkeys((job.message_id for job in jobs), 1)


def test_a_process_that_dies_is_replaced(
    group: WorkerProcess, platform: Platform, port: int
) -> None:
    with group:
        wait_ready(port)
        victim, survivor = children_of(group.pid)
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: get(port, "/health/live/")[0] == 503, "it is missed")
        eventually(lambda: victim not in children_of(group.pid), "it is buried")
        wait_ready(port)
        assert survivor in children_of(group.pid)
        assert len(children_of(group.pid)) == 2
        assert group.terminate() == 0


def test_none_outlives_its_parent(group: WorkerProcess, platform: Platform, port: int) -> None:
    with group:
        wait_ready(port)
        children = children_of(group.pid)
        group.kill()
        eventually(lambda: not any(is_running(child) for child in children), "they end")


def test_a_stop_under_load_sends_nothing_twice(
    group: WorkerProcess,
    platform: Platform,
    port: int,
    tmp_path: Path,
    redis_url: str,
    broker: Broker,
) -> None:
    ledger = Ledger(tmp_path)
    jobs = [delivery_job() for _ in range(JOBS)]
    with group:
        wait_ready(port)
        platform.publish(*jobs)
        eventually(lambda: len(ledger.lines("accepted")) >= 20, "some are sent")
        assert group.terminate() == 0
    with WorkerProcess(tmp_path, redis_url, broker.url) as worker:
        platform.wait_events(JOBS)
        assert worker.terminate() == 0
    assert ledger.accepted == dict.fromkeys((job.message_id for job in jobs), 1)
