"""Health checks and the operations server."""

import http.client
import json
import threading
from collections.abc import Iterator

import pytest

from carillon.observability.health import HealthChecks
from carillon.observability.server import OperationsServer


def refused() -> None:
    raise ConnectionRefusedError("postgresql://user:hunter22@db refused")


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_each_dependency_is_named_and_no_secret_is_told(release: threading.Event) -> None:
    def hang() -> None:
        release.wait(60)

    checks = HealthChecks(
        "gateway",
        {"fine": lambda: None, "broken": refused, "hung": hang},
        # Long enough for those that answer at once, on a busy machine too.
        timeout=3.0,
    )
    healthy, report = checks.report()
    assert not healthy
    assert report["service"] == "gateway"
    assert report["checks"]["fine"]["status"] == "healthy"
    assert report["checks"]["broken"]["error"] == "ConnectionRefusedError"
    assert report["checks"]["hung"]["error"] == "timeout"
    assert "hunter22" not in json.dumps(report)


def test_eager_probes_share_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carillon.observability.health.KEPT_SECONDS", 3600.0)
    calls: list[int] = []
    checks = HealthChecks("x", {"counted": lambda: calls.append(1)})
    for _ in range(5):
        assert checks.report()[0]
    assert len(calls) == 1


def test_a_hung_process_is_not_alive() -> None:
    alive = [True]
    health = HealthChecks("worker", {"redis": lambda: None})
    with OperationsServer(
        host="127.0.0.1", port=0, health=health, alive=lambda: alive[0]
    ) as server:
        answers = {path: get(server.port, path)[0] for path in ("/health/", "/health/live/")}
        assert answers == {"/health/": 200, "/health/live/": 200}
        alive[0] = False
        answers = {path: get(server.port, path)[0] for path in ("/health/", "/health/live/")}
        assert answers == {"/health/": 503, "/health/live/": 503}
        status, body = get(server.port, "/metrics")
        assert status == 200
        assert b"python_info" in body
        assert get(server.port, "/elsewhere")[0] == 404


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
