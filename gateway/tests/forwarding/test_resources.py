"""The table against what the services say that they have: no public call is forgotten."""

import json
import re

import pytest
from django.test import Client
from django.urls import resolve

from carillon.clients.http import READ_SECONDS
from carillon.web.bodies import BODY_LIMIT
from gateway.forwarding.descriptions import contracts, named
from gateway.forwarding.resources import KEPT_INSIDE, RESOURCES
from gateway.organizations.synchronization import TEMPLATE_SERVICE, USER_SERVICE

CALLS = {
    name: service for service in (USER_SERVICE, TEMPLATE_SERVICE) for name in contracts(service)
}


def test_every_public_call_is_in_the_table_or_kept_inside_with_a_reason() -> None:
    forwarded = {
        named(resource, method): resource.service
        for resource in RESOURCES
        for method in resource.methods
    }
    assert forwarded == {
        name: service for name, service in CALLS.items() if name not in KEPT_INSIDE
    }
    assert set(KEPT_INSIDE) <= set(CALLS)
    assert all(KEPT_INSIDE.values())


@pytest.mark.parametrize("name", CALLS)
def test_no_route_swallows_another(name: str) -> None:
    method, _, path = name.partition(" ")
    view = resolve(re.sub("{[a-z_]+}", "some", path)).func
    assert named(view.cls.resource, method) == name  # type: ignore[attr-defined]


def test_the_gateway_describes_each_as_its_service_does() -> None:
    paths = json.loads(Client().get("/api/schema/").content)["paths"]
    for name, service in CALLS.items():
        method, _, path = name.partition(" ")
        operation = paths[path][method.lower()]
        contract = contracts(service)[name]
        assert operation["operationId"] == contract.operation_id
        assert operation.get("description", "") == contract.description
        assert operation.get("requestBody", {}) == contract.request_body, name
        assert [p["name"] for p in operation.get("parameters", [])] == [
            p["name"] for p in contract.parameters
        ]
        for status, answer in contract.answers.items():
            assert operation["responses"][str(status)] == answer, (name, status)
        for error in contract.errors:
            content = operation["responses"][str(error.status)]["content"]
            assert error.code in str(content), (name, error)
        assert "503" in operation["responses"]


def test_only_imports_may_be_large() -> None:
    large = {resource.path for resource in RESOURCES if resource.body_limit > BODY_LIMIT}
    assert large == {"api/v1/users/import/", "api/v1/suppressions/import/"}


def test_what_hashes_a_password_or_imports_may_take_long() -> None:
    slow = {resource.path for resource in RESOURCES if resource.read_seconds > READ_SECONDS}
    imports = {"api/v1/users/import/", "api/v1/suppressions/import/"}
    assert slow == imports | {"api/v1/users/", "api/v1/users/<str:identifier>/"}
