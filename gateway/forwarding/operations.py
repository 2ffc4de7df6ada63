"""The table of forwarded calls: what is not in it cannot be reached through the gateway."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.organizations.models import Scope
from gateway.organizations.synchronization import TEMPLATE_SERVICE, USER_SERVICE


@dataclass(frozen=True, slots=True)
class Operation:
    """One call: its example body and the example of what it answers.

    `if_match`: the call takes an ETag in If-Match.
    """

    method: str
    operation_id: str
    summary: str
    answer: object
    body: Mapping[str, Any] | None = None
    status: int = 200
    message: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[tuple[int, str, str], ...] = ()
    if_match: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """A path, in Django's notation, and the calls on it."""

    path: str
    service: str
    scope: Scope
    operations: tuple[Operation, ...]
    parameters: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def users(path: str, *operations: Operation, **parameters: tuple[str, str]) -> Resource:
    """A resource of the user service."""
    return Resource(f"api/v1/users/{path}", USER_SERVICE, Scope.USERS, operations, parameters)


def templates(path: str, *operations: Operation, **parameters: tuple[str, str]) -> Resource:
    """A resource of the template service."""
    return Resource(
        f"api/v1/templates/{path}", TEMPLATE_SERVICE, Scope.TEMPLATES, operations, parameters
    )
