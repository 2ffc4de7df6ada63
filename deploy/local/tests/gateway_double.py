"""A gateway that answers as the contract says, for tests of the demo alone."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "org_live_double"
STATUSES = "/api/v1/notifications/status/"
Answer = tuple[int, dict[str, Any]]


class GatewayDouble:
    """Remembers what it was sent; each notification goes through `statuses`, one at a look."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.users: dict[str, str] = {}
        self.templates: set[str] = set()
        self.statuses = ["accepted", "queued", "delivered"]
        self.refusal: Answer | None = None
        self._looks: dict[str, int] = {}
        handler = _handler(self.answer)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def sent(self, path: str) -> list[dict[str, Any]]:
        """The bodies that were posted to a path."""
        return [body for method, called, body in self.calls if (method, called) == ("POST", path)]

    def answer(self, method: str, path: str, key: str, body: dict[str, Any]) -> Answer:
        """A status and the envelope's data, or its error."""
        self.calls.append((method, path, body))
        if key != KEY:
            return 401, {"error": "invalid_api_key"}
        if path == "/api/v1/users/":
            return self._user(body)
        if method == "GET" and path.startswith("/api/v1/users/"):
            user_id = self.users[path.split("/")[-2]]
            return 200, {"user_id": user_id}
        if path == "/api/v1/templates/":
            known = body["code"] in self.templates
            self.templates.add(body["code"])
            return (409, {"error": "template_exists"}) if known else (201, {"code": body["code"]})
        if path == "/api/v1/notifications/":
            return self.refusal or self._accept()
        if path == STATUSES:
            return self._status(body["notification_id"])
        return 404, {"error": "not_found"}

    def _user(self, body: dict[str, Any]) -> Answer:
        external = body["external_id"]
        if external in self.users:
            return 409, {"error": "user_exists"}
        self.users[external] = f"user_{len(self.users) + 1}"
        return 201, {"user_id": self.users[external]}

    def _accept(self) -> Answer:
        notification_id = f"notif_{len(self._looks) + 1}"
        self._looks[notification_id] = 0
        return 202, {"notification_id": notification_id, "status": "accepted"}

    def _status(self, notification_id: str) -> Answer:
        if notification_id not in self._looks:
            return 404, {"error": "notification_not_found"}
        look = min(self._looks[notification_id], len(self.statuses) - 1)
        self._looks[notification_id] += 1
        status = self.statuses[look]
        error = "the mailbox is full" if status == "failed" else None
        return 200, {"status": status, "error_message": error}


def _handler(
    answer: Callable[[str, str, str, dict[str, Any]], Answer],
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._respond("GET")

        def do_POST(self) -> None:
            self._respond("POST")

        def _respond(self, method: str) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            status, data = answer(method, self.path, self.headers.get("X-API-Key", ""), body)
            good = status < 400
            envelope = {"success": good, "data": data} if good else {"success": good, **data}
            payload = json.dumps(envelope).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Not into the test's output."""

    return Handler
