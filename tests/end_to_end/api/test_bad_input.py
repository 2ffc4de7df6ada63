"""Every route refuses what no route should accept: the same catalogue for all of them."""

import json
import re
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests

from tests.end_to_end.api.description import SESSION, Operation
from tests.end_to_end.stack import Stack, Tenant

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]

DEEP = 100_000
JSON = "application/json"

MALFORMED: dict[str, bytes] = {
    "half": b'{"a": ',
    "no object": b'["a"]',
    "two values": b"{}{}",
    "not UTF-8": b'{"a": "\xff"}',
    "NUL": b'{"a": "\\u0000"}',
    "NUL in a name": b'{"\\u0000": 1}',
    "lone surrogate": b'{"a": "\\ud800"}',
    "duplicate keys": b'{"a": 1, "a": 2}',
    "NaN": b'{"a": NaN}',
    "infinity": b'{"a": 1e999}',
    "huge integer": b'{"a": ' + b"9" * 5_000 + b"}",
    "deep": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
}


def ask(
    stack: Stack,
    operation: Operation,
    path: str,
    key: str,
    body: bytes | None = None,
    media: str = JSON,
) -> requests.Response:
    """A call with a body as it is."""
    return SESSION.request(
        operation.method,
        stack.url("gateway", path),
        data=body,
        headers={"X-API-Key": key, "Content-Type": media},
        timeout=30,
    )


def refusal(answer: requests.Response) -> tuple[int, str]:
    """Its status and code."""
    body = answer.json()
    assert body["success"] is False
    assert body["message"]
    return answer.status_code, body["error"]


def bodied(routes: list[Operation], media: str = JSON) -> list[Operation]:
    """Those with a key that take a body of the media type."""
    return [
        route
        for route in routes
        if route.needs_key and media in route.told.get("requestBody", {}).get("content", {})
    ]


@pytest.fixture(scope="module")
def json_routes(routes: list[Operation]) -> list[Operation]:
    found = bodied(routes)
    assert len(found) >= 15
    return found


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_body_that_is_no_good_json_is_400(
    stack: Stack, json_routes: list[Operation], owned: dict[str, str], owner: Tenant, kind: str
) -> None:
    for operation in json_routes:
        answer = ask(stack, operation, operation.filled(owned), owner.key, MALFORMED[kind])
        assert refusal(answer) == (400, "invalid_json"), (str(operation), answer.text)


def test_another_media_type_is_400(
    stack: Stack, json_routes: list[Operation], owned: dict[str, str], owner: Tenant
) -> None:
    for operation in json_routes:
        answer = ask(stack, operation, operation.filled(owned), owner.key, b"{}", "text/plain")
        assert refusal(answer) == (400, "invalid_json"), str(operation)


@pytest.mark.parametrize("field", ["organization", "organization_id", "colour"])
def test_an_unknown_field_is_named(
    stack: Stack, json_routes: list[Operation], owned: dict[str, str], owner: Tenant, field: str
) -> None:
    for operation in json_routes:
        body, _ = operation.body()
        assert isinstance(body, dict)
        answer = SESSION.request(
            operation.method,
            stack.url("gateway", operation.filled(owned)),
            json={**body, field: "org_0193f2c6a7b87d1e9c0a5b4d3e2f1a00"},
            headers={"X-API-Key": owner.key},
            timeout=30,
        )
        assert refusal(answer) == (400, "validation_error"), (str(operation), answer.text)
        assert field in answer.json()["details"], (str(operation), answer.text)


def test_a_body_that_is_too_large_is_413_before_it_is_sent(
    stack: Stack, routes: list[Operation], owned: dict[str, str], owner: Tenant
) -> None:
    """Nothing but its length is told: who waits for the body first would never answer."""
    where = urlsplit(stack.url("gateway", "/"))
    for operation in [*bodied(routes), *bodied(routes, "application/x-ndjson")]:
        told = str(operation.told["responses"]["413"])
        limit = int(re.search(r"The body may have (\d+) bytes", told)[1])  # type: ignore[index]
        connection = HTTPConnection(where.hostname or "", where.port, timeout=30)
        with closing(connection):
            connection.putrequest(operation.method, operation.filled(owned))
            connection.putheader("X-API-Key", owner.key)
            connection.putheader("Content-Type", operation.body()[1])
            connection.putheader("Content-Length", str(limit + 1))
            connection.endheaders()
            answer = connection.getresponse()
            error = json.loads(answer.read())["error"]
        assert (answer.status, error) == (413, "payload_too_large"), str(operation)


def test_a_body_without_a_length_is_not_read(
    stack: Stack, json_routes: list[Operation], owned: dict[str, str], owner: Tenant
) -> None:
    """Chunks could go on for ever."""
    for operation in json_routes:
        answer = SESSION.request(
            operation.method,
            stack.url("gateway", operation.filled(owned)),
            data=iter([b'{"a": ', b"1}"]),
            headers={"X-API-Key": owner.key, "Content-Type": JSON},
            timeout=30,
        )
        assert refusal(answer) == (400, "invalid_json"), (str(operation), answer.text)


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=ten", "limit=1e9", "limit=1000000000", "page=0", "page=-1",
     "page=x", "page=" + "9" * 30, "limit=5&limit=6", "limit=%00", "limit=%D9%A5"],
)  # fmt: skip
def test_a_page_that_makes_no_sense_is_refused_or_clamped(
    stack: Stack, routes: list[Operation], owned: dict[str, str], owner: Tenant, query: str
) -> None:
    lists = [
        route
        for route in routes
        if {"page", "limit"} <= {p["name"] for p in route.told.get("parameters", [])}
    ]
    assert len(lists) >= 8
    for operation in lists:
        answer = ask(stack, operation, f"{operation.filled(owned)}?{query}", owner.key)
        if answer.status_code == 200:
            assert answer.json()["meta"]["limit"] <= 100, str(operation)
        else:
            assert refusal(answer) == (400, "validation_error"), (str(operation), answer.text)


@pytest.mark.parametrize(
    "segment",
    ["%00", "a%00b", "%ED%A0%80", "%FF", "a%0D%0AX-Evil:%201", "..%2F..%2Finternal", "%2e%2e", ".",
     "%27%20OR%201=1%20--", "%7B%7B7*7%7D%7D", "x" * 129, "x" * 4000,
     quote("notif_" + "\u0660" * 32), quote("\u202e")],
)  # fmt: skip
def test_a_path_that_names_nothing_is_404(
    stack: Stack, routes: list[Operation], owner: Tenant, segment: str
) -> None:
    for operation in routes:
        if not operation.kinds or not operation.needs_key or operation.method == "PUT":
            continue
        path = operation.filled(dict.fromkeys(operation.kinds, segment))
        body, media = operation.body()
        prepared = requests.Request(
            operation.method, headers={"X-API-Key": owner.key, "Content-Type": media}, json=body
        )
        answer = send_as_it_is(stack, prepared, path)
        assert answer.status_code == 404, (str(operation), answer.status_code, answer.text)
        assert "X-Evil" not in answer.headers


def send_as_it_is(stack: Stack, request: requests.Request, path: str) -> requests.Response:
    """Without a client's tidying of the path."""
    request.url = stack.url("gateway", "/")
    prepared = SESSION.prepare_request(request)
    prepared.url = stack.url("gateway", path)
    return SESSION.send(prepared, timeout=30)


@pytest.mark.parametrize("name", ["X-API-Key", "X-Organization-ID"])
def test_a_header_that_is_sent_twice_is_400(
    stack: Stack, routes: list[Operation], owned: dict[str, str], owner: Tenant, name: str
) -> None:
    value = owner.key if name == "X-API-Key" else owner.organization_id
    for operation in routes:
        if operation.needs_key:
            headers: Any = {"X-API-Key": owner.key, name: f"{value},{value}"}
            url = stack.url("gateway", operation.filled(owned))
            answer = SESSION.request(operation.method, url, headers=headers, timeout=30)
            assert refusal(answer) == (400, "validation_error"), str(operation)
