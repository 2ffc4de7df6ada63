"""What gunicorn's processes count, until they stop."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from prometheus_client import CollectorRegistry, multiprocess

PROCESSES = 2
REQUESTS = 50


def ask(path: Path) -> None:
    """One request."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(path))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")


def wait_for_processes(metrics: Path) -> None:
    """Until each has loaded the program: before that it may not hear that it should stop."""
    deadline = time.monotonic() + 60
    while len(list(metrics.glob("counter_*.db"))) < PROCESSES:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_stop_loses_no_count(tmp_path: Path) -> None:
    metrics, address = tmp_path / "metrics", tmp_path / "socket"
    gunicorn = ("-m", "gunicorn", "-c", "python:carillon.web.gunicorn", f"--bind=unix:{address}")
    with subprocess.Popen(
        [sys.executable, *gunicorn, "carillon.web.tests.counting_app"],
        env={
            "PATH": os.environ["PATH"],
            "WEB_CONCURRENCY": str(PROCESSES),
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        },
    ) as process:
        try:
            wait_for_processes(metrics)
            for _ in range(REQUESTS):
                ask(address)
        finally:
            process.terminate()
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, str(metrics))  # type: ignore[no-untyped-call]
    assert registry.get_sample_value("answered_total") == REQUESTS
