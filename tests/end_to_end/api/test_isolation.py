"""No route shows or changes what is another organization's: every one is tried, with its ids."""

import re
from typing import Any

import pytest
import requests

from tests.end_to_end.api.description import SESSION, Operation
from tests.end_to_end.api.objects import CANARY, EXTERNAL_ID, MAKERS, TEMPLATE, data_of, shown
from tests.end_to_end.stack import Stack, Tenant

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]

# A path that names no object, but whose parameter could be anything: what a client calls its own.
OWN_NAMES = {"PUT /api/v1/users/{identifier}/"}
# Counts catch up with what was done before.
_COUNTED = ("/usage/", "/analytics/")
# Changes without anybody's doing.
_TIDE = re.compile(r'"(last_used_at|updated_at)": ?("[^"]*"|null)')

Owned = dict[str, str]


def call(
    stack: Stack, operation: Operation, path: str, key: str = "", **headers: str
) -> requests.Response:
    """The operation's own example, sent to `path`."""
    body, media = operation.body()
    sent = {"data": body} if isinstance(body, bytes) else {"json": body}
    return SESSION.request(
        operation.method,
        stack.url("gateway", path),
        headers={"Content-Type": media, **({"X-API-Key": key} if key else {}), **headers},
        timeout=30,
        **sent,
    )


def named(operation: Operation, owned: Owned) -> list[dict[str, str]]:
    """The values to try: with a user's id, and with the id that its owner gave it."""
    kinds = {kind: owned[kind] for kind in operation.kinds}
    if "users/identifier" not in kinds:
        return [kinds]
    return [kinds, {**kinds, "users/identifier": EXTERNAL_ID}]


def seen_by_owner(owner: Tenant, routes: list[Operation], owned: Owned) -> dict[str, str]:
    """Every answer that the owner gets to reading calls."""
    paths = [
        operation.filled(values)
        for operation in routes
        if operation.method == "GET" and not operation.path.endswith(_COUNTED)
        for values in named(operation, owned)
    ]
    return {path: _TIDE.sub("", shown(owner.call("GET", path, None))) for path in paths}


def test_every_kind_of_path_parameter_has_a_maker(routes: list[Operation]) -> None:
    kinds = {kind for operation in routes for kind in operation.kinds}
    assert kinds == set(MAKERS), "tests/end_to_end/api/objects.py makes one of each kind"
    for operation in routes:
        assert operation.path.count("{") == len(operation.kinds), operation


def test_no_route_shows_or_changes_what_is_anothers(
    stack: Stack, routes: list[Operation], owner: Tenant, owned: Owned, stranger: Tenant
) -> None:
    before = seen_by_owner(owner, routes, owned)
    # The walk could not fail if the owner's own answers held nothing of it.
    assert sum(CANARY in text for text in before.values()) >= 10
    marks = [CANARY, owner.organization_id, *(owned[kind] for kind in owned if "code" not in kind)]
    tried = 0
    for operation in routes:
        if not operation.kinds or not operation.needs_key:
            continue
        for values in named(operation, owned):
            path = operation.filled(values)
            answer = call(stack, operation, path, stranger.key)
            tried += 1
            if str(operation) in OWN_NAMES and EXTERNAL_ID in path:
                assert answer.status_code == 201, (str(operation), answer.text)
                stranger.call("DELETE", path)
            else:
                assert answer.status_code == 404, (str(operation), answer.text)
            found = [mark for mark in marks if mark in shown(answer)]
            assert found == [], (str(operation), found)
    assert tried >= 30
    assert seen_by_owner(owner, routes, owned) == before


def test_no_list_and_no_filter_finds_what_is_anothers(
    stack: Stack, routes: list[Operation], owner: Tenant, owned: Owned, stranger: Tenant
) -> None:
    marks = [CANARY, owner.organization_id, *(owned[kind] for kind in owned if "code" not in kind)]
    lists = [route for route in routes if route.method == "GET" and not route.kinds]
    assert len(lists) >= 8
    for operation in lists:
        if not operation.needs_key:
            continue
        queries: list[dict[str, str]] = [{}]
        for parameter in operation.told.get("parameters", []):
            queries += [{parameter["name"]: value} for value in (CANARY, *owned.values())]
        for query in queries:
            url = stack.url("gateway", operation.path)
            headers = {"X-API-Key": stranger.key}
            answer = SESSION.get(url, params=query, headers=headers, timeout=30)
            assert answer.status_code in {200, 400, 404}, (str(operation), query, answer.text)
            if answer.status_code == 200:
                found = [mark for mark in marks if mark in shown(answer)]
                assert found == [], (str(operation), query, found)


@pytest.fixture
def own(stranger: Tenant) -> str:
    """A user of the stranger's."""
    return stranger.make_user()


def test_no_body_reaches_what_is_anothers(
    owner: Tenant, owned: Owned, stranger: Tenant, own: str
) -> None:
    user_id = owned["users/identifier"]
    notification_id = owned["notifications/notification_id"]
    stranger.make_template("mine")
    bodies: list[tuple[str, dict[str, Any], int]] = [
        ("notifications/status/", {"notification_id": notification_id}, 404),
        (
            "notifications/",
            {"notification_type": "email", "user_id": user_id, "template_code": "mine"},
            404,
        ),
        (
            "notifications/",
            {"notification_type": "email", "user_id": own, "template_code": TEMPLATE},
            404,
        ),
    ]
    for path, body, status in bodies:
        body = {"variables": {"name": "Ann"}, **body} if path == "notifications/" else body
        answer = stranger.call("POST", f"/api/v1/{path}", body)
        assert answer.status_code == status, (path, answer.text)
        assert CANARY not in shown(answer)
    found = data_of(
        stranger.call("POST", "/api/v1/users/batch/", {"user_ids": [user_id, EXTERNAL_ID]})
    )
    assert found["users"] == []
    assert set(found["not_found"]) == {user_id, EXTERNAL_ID}


def test_a_request_id_is_each_organizations_own(owned: Owned, stranger: Tenant, own: str) -> None:
    stranger.make_template("mine-too")
    answer = stranger.send("email", own, "mine-too", request_id=CANARY)
    assert answer.status_code == 202, answer.text
    assert answer.json()["data"]["notification_id"] != owned["notifications/notification_id"]
    assert "Idempotent-Replayed" not in answer.headers


def test_naming_anothers_organization_is_refused(
    stack: Stack, routes: list[Operation], owner: Tenant, owned: Owned, stranger: Tenant
) -> None:
    for operation in routes:
        if operation.needs_key:
            path = operation.filled(owned)
            headers = {"X-Organization-ID": owner.organization_id}
            answer = call(stack, operation, path, stranger.key, **headers)
            assert answer.status_code == 403, (str(operation), answer.text)
            assert answer.json()["error"] == "organization_mismatch"
