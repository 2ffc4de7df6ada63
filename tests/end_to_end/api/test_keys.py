"""Every route asks for a key, and for a key that may."""

import pytest

from tests.end_to_end.api.description import SESSION, Operation
from tests.end_to_end.api.objects import data_of
from tests.end_to_end.api.test_isolation import Owned, call
from tests.end_to_end.stack import Stack, Tenant

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end]

SCOPES = frozenset({"send", "read", "templates", "users", "admin"})
# Which need no key, and which need no more than any key. Each is a decision: add with care.
PUBLIC = {"POST /api/v1/organizations/register/"}
ANY_KEY = {"GET /api/v1/organizations/me/", "GET /api/v1/organizations/me/usage/"}

UNKNOWN = "org_live_" + "a" * 10 + "_" + "b" * 43


def test_what_needs_no_key_is_a_decision(routes: list[Operation]) -> None:
    assert {str(route) for route in routes if not route.needs_key} == PUBLIC
    assert {str(r) for r in routes if r.needs_key and not r.scopes} == ANY_KEY
    assert all(option <= SCOPES for route in routes for option in route.scopes)


@pytest.mark.parametrize("key", ["", UNKNOWN, "nonsense"])
def test_without_a_good_key_every_route_is_401(
    stack: Stack, routes: list[Operation], owned: Owned, key: str
) -> None:
    error = "invalid_api_key" if key else "authentication_required"
    for operation in routes:
        if operation.needs_key:
            answer = call(stack, operation, operation.filled(owned), key)
            assert (answer.status_code, answer.json()["error"]) == (401, error), str(operation)


def test_the_options_of_a_route_are_not_public_either(
    stack: Stack, routes: list[Operation], owned: Owned
) -> None:
    for path in {route.filled(owned) for route in routes if route.needs_key}:
        answer = SESSION.options(stack.url("gateway", path), timeout=30)
        assert answer.status_code == 401, path


def test_a_key_in_the_url_is_401_on_every_route(
    stack: Stack, routes: list[Operation], owned: Owned, owner: Tenant
) -> None:
    for operation in routes:
        if operation.needs_key:
            path = f"{operation.filled(owned)}?api_key={owner.key}"
            for key in ("", owner.key):
                answer = call(stack, operation, path, key)
                assert answer.status_code == 401, str(operation)
    assert owner.key not in stack.logs()


def test_a_key_of_too_few_scopes_is_403_on_every_route(
    stack: Stack, routes: list[Operation], owned: Owned, owner: Tenant
) -> None:
    keys: dict[frozenset[str], str] = {}
    for operation in routes:
        for missing in frozenset().union(*operation.scopes):
            # Of two scopes that it takes together one is not enough; of two of which either
            # will do, neither is had.
            alternatives = [option for option in operation.scopes if missing not in option]
            lacking = frozenset({missing, "admin"}).union(*alternatives)
            others = SCOPES - lacking
            if others not in keys:
                keys[others] = new_key(owner, others)
            answer = call(stack, operation, operation.filled(owned), keys[others])
            assert answer.status_code == 403, (str(operation), sorted(others), answer.text)
            assert answer.json()["error"] == "insufficient_scope", str(operation)


def test_a_key_of_just_the_scopes_that_a_route_names_will_do(
    stack: Stack, routes: list[Operation], owner: Tenant
) -> None:
    options = {option for route in routes for option in route.scopes} | {frozenset({"admin"})}
    keys = {option: new_key(owner, option) for option in options}
    for operation in routes:
        path = operation.filled(dict.fromkeys(operation.kinds, "nobody"))
        # What creates something without naming anything would really do it.
        if not operation.scopes or not (operation.method == "GET" or operation.kinds):
            continue
        for option in (*operation.scopes, frozenset({"admin"})):
            answer = call(stack, operation, path, keys[option])
            assert answer.status_code not in {401, 403}, (str(operation), option, answer.text)


def new_key(tenant: Tenant, scopes: frozenset[str]) -> str:
    body = {"name": "Narrow", "scopes": sorted(scopes)}
    return str(data_of(tenant.call("POST", "/api/v1/api-keys/", body))["api_key"])
