"""deploy/compose/process.py: the entry point and the health check of every container."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from deploy.compose import process

SCRIPT = Path(process.__file__)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (404, 1), (302, 1)])
def test_the_health_check_believes_200_alone(
    status: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(status) as port:
        monkeypatch.setenv("PROCESS", "relay")
        monkeypatch.setenv("RELAY_PORT", str(port))
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        assert process.main(["health"]) == code


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server that answers `status` to the liveness check and 404 to anything else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/live/" else 404)
            self.end_headers()

        def log_message(self, *_args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_an_unknown_process_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROCESS", "gatway")
    assert process.main(["start"]) == 64
    assert "'gatway' is none of gateway, user_service" in capsys.readouterr().err


def test_starting_replaces_the_entry_point_so_that_signals_arrive(tmp_path: Path) -> None:
    code = "import os; print(os.getpid())"
    child = subprocess.Popen(
        [sys.executable, SCRIPT, "start", sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    output, _ = child.communicate(timeout=60)
    assert int(output) == child.pid


def test_a_setting_moves_the_port_and_an_empty_one_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway = process.PROCESSES["gateway"]
    monkeypatch.setenv("GATEWAY_PORT", "")
    assert gateway.health_url == "http://127.0.0.1:8000/health/live/"
    monkeypatch.setenv("GATEWAY_PORT", "8080")
    assert gateway.health_url == "http://127.0.0.1:8080/health/live/"
    assert "0.0.0.0:8080" in gateway.command
