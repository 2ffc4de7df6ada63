"""What gunicorn's processes count, until they stop."""

import socket
from pathlib import Path

from prometheus_client import CollectorRegistry, multiprocess

from carillon.web.tests.gunicorn_server import started

PROCESSES = 2
REQUESTS = 50


def ask(path: Path) -> None:
    """One request."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(path))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_a_stop_loses_no_count(tmp_path: Path) -> None:
    metrics, address = tmp_path / "metrics", tmp_path / "socket"
    bind = f"unix:{address}"
    with started(PROCESSES, bind=bind, PROMETHEUS_MULTIPROC_DIR=str(metrics)) as server:
        # Before it has loaded the program, a process may not hear that it should stop.
        server.processes(PROCESSES)
        for _ in range(REQUESTS):
            ask(address)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, str(metrics))  # type: ignore[no-untyped-call]
    assert registry.get_sample_value("answered_total") == REQUESTS
