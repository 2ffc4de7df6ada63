"""The table of forwarded calls: what is not in it cannot be reached through the gateway.

What a call takes and answers stands in `contracts/`, in the service's own words.
"""

from dataclasses import dataclass

from carillon.clients.http import READ_SECONDS
from carillon.web.bodies import BODY_LIMIT
from gateway.organizations.models import Scope
from gateway.organizations.synchronization import TEMPLATE_SERVICE, USER_SERVICE

# The user service's own bound, and several times what 10,000 lines take it on a busy machine.
IMPORT_BYTES = 20_000_000
IMPORT_SECONDS = 60.0
# A password is hashed for half a second of a processor, several of them on a busy machine; who is
# told 503 meanwhile has a user that they do not know of.
HASHING_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Resource:
    """A path, in Django's notation, and the methods that are forwarded.

    `body_limit` is in bytes; the service has `read_seconds` to answer.
    """

    path: str
    service: str
    scope: Scope
    methods: tuple[str, ...]
    body_limit: int = BODY_LIMIT
    read_seconds: float = READ_SECONDS


def _users(path: str, *methods: str, read_seconds: float = READ_SECONDS) -> Resource:
    return Resource(f"api/v1/{path}", USER_SERVICE, Scope.USERS, methods, read_seconds=read_seconds)


def _import(path: str) -> Resource:
    return Resource(
        f"api/v1/{path}",
        USER_SERVICE,
        Scope.USERS,
        ("POST",),
        body_limit=IMPORT_BYTES,
        read_seconds=IMPORT_SECONDS,
    )


def _templates(path: str, *methods: str) -> Resource:
    return Resource(f"api/v1/{path}", TEMPLATE_SERVICE, Scope.TEMPLATES, methods)


# In the order of Django's matching: a word before the parameter that would swallow it.
RESOURCES: tuple[Resource, ...] = (
    _users("users/", "GET", "POST", read_seconds=HASHING_SECONDS),
    _users("users/batch/", "POST"),
    _import("users/import/"),
    _users(
        "users/<str:identifier>/",
        *("GET", "PUT", "PATCH", "DELETE"),
        read_seconds=HASHING_SECONDS,
    ),
    _users("users/<str:identifier>/preferences/", "GET", "PATCH"),
    _users("users/<str:identifier>/preferences/history/", "GET"),
    _users("users/<str:identifier>/devices/", "GET", "POST"),
    _users("users/<str:identifier>/devices/<str:device_id>/", "DELETE"),
    _users("suppressions/", "GET", "POST"),
    _import("suppressions/import/"),
    _users("suppressions/<str:suppression_id>/", "GET", "DELETE"),
    _users("categories/", "GET", "POST"),
    _users("categories/<str:code>/", "GET", "PATCH", "DELETE"),
    _users("preference-defaults/", "GET", "PATCH"),
    _templates("templates/", "GET", "POST"),
    _templates("templates/<str:code>/", "GET", "PUT", "PATCH", "DELETE"),
    _templates("templates/<str:code>/publish/", "POST"),
    _templates("templates/<str:code>/rollback/", "POST"),
    _templates("templates/<str:code>/versions/", "GET"),
    _templates("templates/<str:code>/diff/", "GET"),
    _templates("templates/<str:code>/preview/", "POST"),
    _templates("templates/<str:code>/lint/", "POST"),
)

# Public at a service and deliberately not here: `METHOD /path/` and why.
KEPT_INSIDE: dict[str, str] = {}
