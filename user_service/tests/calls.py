"""Calls of the API as another service makes them."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.test import Client

from carillon.contracts import ids


@dataclass(frozen=True)
class Answer:
    """A status and the JSON that came with it."""

    status: int
    body: dict[str, Any]

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def error(self) -> tuple[int, str]:
        return self.status, self.body.get("error", "")

    @property
    def details(self) -> dict[str, Any]:
        details: dict[str, Any] = self.body.get("details", {})
        return details


def internal_secret() -> str:
    secret: str = settings.CARILLON.internal_secrets[0]
    return secret


@dataclass
class Api:
    """An organization's calls with the right secret; `headers` override."""

    organization_id: str = field(default_factory=lambda: ids.new_id(ids.ORGANIZATION))
    headers: dict[str, str] = field(default_factory=dict)

    def call(
        self, method: str, path: str, body: object = None, media_type: str = "application/json"
    ) -> Answer:
        headers = {
            "X-Internal-Secret": internal_secret(),
            "X-Organization-ID": self.organization_id,
            **self.headers,
        }
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body)
        response = Client().generic(
            method,
            path,
            data,
            content_type=media_type,
            headers={name: value for name, value in headers.items() if value},
        )
        return Answer(response.status_code, json.loads(response.content or b"{}"))

    def get(self, path: str) -> Answer:
        return self.call("GET", path)

    def post(self, path: str, body: object) -> Answer:
        return self.call("POST", path, body)

    def patch(self, path: str, body: object) -> Answer:
        return self.call("PATCH", path, body)

    def delete(self, path: str) -> Answer:
        return self.call("DELETE", path)

    def lines(self, path: str, raw: bytes) -> Answer:
        """JSON Lines."""
        return self.call("POST", path, raw, media_type="application/x-ndjson")

    def create(self, **fields: object) -> dict[str, Any]:
        """A user, made through the API."""
        answer = self.post("/api/v1/users/", fields)
        assert answer.status == 201, answer.body
        created: dict[str, Any] = answer.data
        return created


def user_path(identifier: object, rest: str = "") -> str:
    return f"/api/v1/users/{identifier}/{rest}"
