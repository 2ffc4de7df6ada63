"""Calls of the public API as a client makes them."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from django.test import Client

NOTIFICATIONS = "/api/v1/notifications/"
STATUS = "/api/v1/notifications/status/"

Headers = dict[str, str]


@dataclass(frozen=True)
class Answer:
    """A status, headers and the JSON that came with them."""

    status: int
    headers: Headers
    body: dict[str, Any]

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def error(self) -> tuple[int, str]:
        return self.status, self.body.get("error", "")

    @property
    def details(self) -> dict[str, list[str]]:
        details: dict[str, list[str]] = self.body.get("details", {})
        return details


@dataclass(frozen=True)
class Api:
    """A client app with its key; `headers` go with every call."""

    key: str
    headers: Headers = field(default_factory=dict)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """`body` is JSON to be, or bytes as they are; `headers` are written with underscores."""
        sent = {"X-API-Key": self.key, **self.headers}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body)
        response = Client().generic(
            method,
            path,
            data,
            content_type="application/json",
            headers={name: value for name, value in sent.items() if value},
        )
        answered = json.loads(response.content) if response.content else {}
        return Answer(response.status_code, dict(response.headers), answered)

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: object = None, **headers: str) -> Answer:
        return self.call("POST", path, body, **headers)

    def send(self, body: object, **headers: str) -> Answer:
        """Ask for a notification."""
        return self.call("POST", NOTIFICATIONS, body, **headers)

    def accepted(self, **fields: object) -> dict[str, Any]:
        """The data of a notification that is accepted."""
        answer = self.send(inline(**fields))
        assert answer.status == 202, answer.body
        data: dict[str, Any] = answer.data
        return data

    def with_key(self, key: str) -> "Api":
        return replace(self, key=key)


def inline(**fields: object) -> dict[str, object]:
    """A body that needs neither user nor template."""
    return {
        "notification_type": "email",
        "to": "ada@example.com",
        "content": {"subject": "Hello", "body": "Hello, Ada"},
        **fields,
    }
