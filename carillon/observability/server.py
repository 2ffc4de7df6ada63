"""The small HTTP server of processes that have no web framework: metrics and health."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import msgspec

from carillon.observability.health import HealthChecks
from carillon.observability.metrics import CONTENT_TYPE, exposition

Answer = tuple[int, str, bytes]


class OperationsServer:
    """Serves `/metrics`, `/health/`, `/health/live/` and `/health/ready/` from its own threads.

    `alive` says whether the process does its work (a hung consumer is not alive); `health`
    checks its dependencies. Port 0 takes a free one; `port` tells which.
    """

    def __init__(
        self, *, host: str, port: int, health: HealthChecks, alive: Callable[[], bool]
    ) -> None:
        self._health = health
        self._alive = alive
        operations = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                status, content_type, body = operations.answer(self.path.partition("?")[0])
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                """Probes and scrapes are not worth a line."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="operations", daemon=True
        )

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def answer(self, path: str) -> Answer:
        """Status, content type and body for `path`."""
        if path in {"/metrics", "/metrics/"}:
            return 200, CONTENT_TYPE, exposition()
        if path in {"/health/live/", "/health/live"}:
            alive = self._alive()
            return _json(200 if alive else 503, {"status": "alive" if alive else "stuck"})
        if path in {"/health/", "/health", "/health/ready/", "/health/ready"}:
            healthy, body = self._health.report()
            healthy = healthy and self._alive()
            return _json(200 if healthy else 503, body)
        return _json(404, {"error": "not_found"})

    def __enter__(self) -> "OperationsServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _json(status: int, body: object) -> Answer:
    return status, "application/json", msgspec.json.encode(body)
