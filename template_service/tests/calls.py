"""The service's calls, as the gateway makes them."""

import json
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpResponse
from django.test import Client

from carillon.contracts.actors import HEADER, Actor, write_actor

TEMPLATES = "/api/v1/templates/"

EMAIL: dict[str, Any] = {
    "code": "welcome",
    "name": "Welcome",
    "type": "email",
    "subject": "Welcome, {{ name }}!",
    "content": "Hi {{ name }}",
    "html_content": "<p>Hi {{ name }}</p>",
    "language": "en",
    "status": "active",
    "variables": ["name"],
    "optional_variables": [],
}


@dataclass(frozen=True)
class Author:
    """An organization that calls."""

    client: Client
    organization_id: str
    secret: str
    actor: str = ""

    def acting(self, actor: dict[str, str]) -> "Author":
        """The same organization's calls, by one of its keys."""
        return replace(self, actor=write_actor(Actor(**actor)))

    def call(
        self, method: str, path: str, body: object = None, *, if_match: str = ""
    ) -> HttpResponse:
        """Any call."""
        headers = {"X-Internal-Secret": self.secret, "X-Organization-ID": self.organization_id}
        if self.actor:
            headers[HEADER] = self.actor
        if if_match:
            headers["If-Match"] = if_match
        data = b"" if body is None else json.dumps(body).encode()
        response = self.client.generic(method, path, data, "application/json", headers=headers)
        assert isinstance(response, HttpResponse)
        return response

    def create(self, **fields: Any) -> dict[str, Any]:
        """`EMAIL` with other fields."""
        return done(self.call("POST", TEMPLATES, {**EMAIL, **fields}), 201)

    def change(self, code: str = "welcome", **fields: Any) -> dict[str, Any]:
        """PATCH."""
        return done(self.call("PATCH", f"{TEMPLATES}{code}/", fields))

    def act(self, action: str, code: str = "welcome", **fields: Any) -> dict[str, Any]:
        """POST to publish, rollback, preview or lint."""
        return done(self.call("POST", f"{TEMPLATES}{code}/{action}/", fields))

    def get(self, path: str = "welcome/") -> dict[str, Any]:
        """GET below the templates."""
        return done(self.call("GET", f"{TEMPLATES}{path}"))

    def record(self, code: str = "welcome") -> dict[str, Any] | None:
        """The internal record."""
        response = self.call("GET", f"/internal/templates/{code}/")
        if response.status_code == 404:
            return None
        assert response.status_code == 200
        record: dict[str, Any] = json.loads(response.content)
        return record


def done(response: HttpResponse, status: int = 200) -> dict[str, Any]:
    """The data of a success."""
    assert response.status_code == status, response.content
    data: dict[str, Any] = json.loads(response.content)["data"]
    return data


def refused(response: HttpResponse) -> tuple[int, str, dict[str, Any]]:
    """Status, code and details of an error."""
    body = json.loads(response.content)
    assert body["success"] is False
    return response.status_code, body["error"], body.get("details", {})
