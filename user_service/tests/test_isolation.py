"""Every route, walked: who may call it, and that it shows nothing of another organization."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver

from carillon.contracts import ids
from carillon.web.internal_auth import InternalAuthentication, InternalServiceAuthentication
from user_service.policies.models import Policy
from user_service.suppressions.models import Suppression
from user_service.tests.calls import Api, internal_secret, user_path
from user_service.users.models import Device, PreferenceChange, User

METHODS = ("get", "post", "put", "patch", "delete")
# Neither about an organization: they need no header, or the secret alone.
OPEN = {"api/schema/", "api/docs/", "api/redoc/"}
ABOUT_NO_ORGANIZATION = {"internal/organizations/", "internal/links/<str:token>/"}

BODIES: dict[tuple[str, str], object] = {
    ("api/v1/categories/<str:code>/", "patch"): {"essential": True},
    ("api/v1/users/<str:identifier>/", "put"): {"name": "Mallory"},
    ("api/v1/users/", "post"): {"email": "new@example.com"},
    ("api/v1/users/<str:identifier>/", "patch"): {"name": "Mallory"},
    ("api/v1/users/<str:identifier>/preferences/", "patch"): {"preferences": {"email": False}},
    ("api/v1/users/<str:identifier>/devices/", "post"): {"platform": "fcm", "token": "stolen"},
}


def routes() -> Iterator[tuple[str, str, Any]]:
    """Every (route, method, authentication class) that REST framework serves here."""
    for route, view in _views(get_resolver().url_patterns, ""):
        api_class = getattr(view, "view_class", None) or getattr(view, "cls", None)
        if api_class is None or route in OPEN or route.startswith("admin/"):
            continue
        for method in METHODS:
            if hasattr(api_class, method):
                yield route, method, api_class.authentication_classes


def _views(patterns: list[Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        where = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns, where)
        elif isinstance(pattern, URLPattern):
            yield where, pattern.callback


ROUTES = sorted((route, method) for route, method, _ in routes())
TENANT_ROUTES = [(route, method) for route, method in ROUTES if route not in ABOUT_NO_ORGANIZATION]
OBJECT_ROUTES = [(route, method) for route, method in TENANT_ROUTES if "<" in route]


def fill(route: str, **values: object) -> str:
    """The path; what is not given is something that there is not."""
    known = {
        "identifier": "customer-1",
        "device_id": "device_" + "0" * 32,
        "suppression_id": "supp_" + "0" * 32,
        "code": "marketing",
        "token": "of-nobody",
        **values,
    }
    return "/" + re.sub(r"<str:(\w+)>", lambda found: str(known[found.group(1)]), route)


def test_the_walk_sees_every_route() -> None:
    assert ROUTES == [
        ("api/v1/categories/", "get"),
        ("api/v1/categories/", "post"),
        ("api/v1/categories/<str:code>/", "delete"),
        ("api/v1/categories/<str:code>/", "get"),
        ("api/v1/categories/<str:code>/", "patch"),
        ("api/v1/preference-defaults/", "get"),
        ("api/v1/preference-defaults/", "patch"),
        ("api/v1/suppressions/", "get"),
        ("api/v1/suppressions/", "post"),
        ("api/v1/suppressions/<str:suppression_id>/", "delete"),
        ("api/v1/suppressions/<str:suppression_id>/", "get"),
        ("api/v1/suppressions/import/", "post"),
        ("api/v1/users/", "get"),
        ("api/v1/users/", "post"),
        ("api/v1/users/<str:identifier>/", "delete"),
        ("api/v1/users/<str:identifier>/", "get"),
        ("api/v1/users/<str:identifier>/", "patch"),
        ("api/v1/users/<str:identifier>/", "put"),
        ("api/v1/users/<str:identifier>/devices/", "get"),
        ("api/v1/users/<str:identifier>/devices/", "post"),
        ("api/v1/users/<str:identifier>/devices/<str:device_id>/", "delete"),
        ("api/v1/users/<str:identifier>/preferences/", "get"),
        ("api/v1/users/<str:identifier>/preferences/", "patch"),
        ("api/v1/users/<str:identifier>/preferences/history/", "get"),
        ("api/v1/users/batch/", "post"),
        ("api/v1/users/import/", "post"),
        ("internal/devices/<str:device_id>/disable/", "post"),
        ("internal/links/<str:token>/", "get"),
        ("internal/links/<str:token>/", "post"),
        ("internal/organizations/", "post"),
        ("internal/policy/", "get"),
        ("internal/suppressions/", "post"),
        ("internal/suppressions/check/", "post"),
        ("internal/users/<str:identifier>/", "get"),
        ("internal/users/batch/", "post"),
    ]


def test_every_route_authenticates() -> None:
    for route, _method, authentication in routes():
        wanted: type[InternalAuthentication] = (
            InternalServiceAuthentication
            if route in ABOUT_NO_ORGANIZATION
            else InternalAuthentication
        )
        assert tuple(authentication) == (wanted,), route


@pytest.mark.parametrize(("route", "method"), ROUTES)
@pytest.mark.parametrize("secret", ["", "wrong", "é" * 20, "right,right"])
def test_a_wrong_secret_is_401_everywhere(route: str, method: str, secret: str) -> None:
    secret = secret.replace("right", internal_secret())
    answer = Api(headers={"X-Internal-Secret": secret}).call(method.upper(), fill(route), {})
    assert answer.error == (401, "authentication_required")


@pytest.mark.parametrize(("route", "method"), TENANT_ROUTES)
@pytest.mark.parametrize("organization", ["", "acme", "org_1", "twice"])
def test_a_missing_organization_is_400_everywhere(
    route: str, method: str, organization: str
) -> None:
    if organization == "twice":
        one = ids.new_id(ids.ORGANIZATION)
        organization = f"{one},{one}"
    answer = Api(headers={"X-Organization-ID": organization}).call(method.upper(), fill(route), {})
    assert answer.error == (400, "missing_organization")


@pytest.mark.integration
@pytest.mark.django_db
@pytest.mark.parametrize(("route", "method"), OBJECT_ROUTES)
@pytest.mark.parametrize("name", ["user_id", "external_id"])
def test_another_organizations_object_is_404_everywhere(
    api: Api, other_api: Api, route: str, method: str, name: str
) -> None:
    victim = other_api.create(external_id="victim", email="victim@example.com", push_token="phone")
    address = {"channel": "email", "address": "victim@example.com"}
    suppression = other_api.post("/api/v1/suppressions/", address).data
    assert other_api.post("/api/v1/categories/", {"code": "theirs"}).status == 201
    device = Device.objects.get()
    before = everything()
    path = fill(
        route,
        identifier=victim[name],
        device_id=device.id,
        suppression_id=suppression["suppression_id"],
        code="theirs",
    )
    answer = api.call(method.upper(), path, BODIES.get((route, method)))
    if (route, method) == ("api/v1/users/<str:identifier>/", "put") and name == "external_id":
        assert answer.status == 201
        assert answer.data["user_id"] != victim["user_id"]
        User.objects.filter(id=answer.data["user_id"]).delete()
    else:
        assert answer.status == 404
        assert answer.body["error"].endswith("_not_found")
    assert everything() == before


def everything() -> list[object]:
    """All rows that an organization can own."""
    models: list[type[Model]] = [User, Device, PreferenceChange, Policy, Suppression]
    return [row for model in models for row in model._default_manager.order_by("pk").values()]


@pytest.mark.integration
@pytest.mark.django_db
def test_nothing_of_another_organization_is_listed_or_found(api: Api, other_api: Api) -> None:
    victim = other_api.create(external_id="victim", email="victim@example.com", name="Victim")
    for query in ("", "?search=victim", f"?search={victim['user_id']}"):
        answer = api.get("/api/v1/users/" + query)
        assert answer.data == []
        assert answer.body["meta"]["total"] == 0
    address = {"channel": "email", "address": "victim@example.com"}
    other_api.post("/api/v1/suppressions/", address)
    assert api.get("/api/v1/suppressions/").data == []
    asked = {"channel": "email", "addresses": ["victim@example.com"]}
    assert api.post("/internal/suppressions/check/", asked).body == {"suppressed": {}}
    wanted = {"user_ids": ["victim", victim["user_id"]]}
    for path in ("/api/v1/users/batch/", "/internal/users/batch/"):
        answer = api.post(path, wanted)
        found = answer.body.get("data", answer.body)
        assert found == {"users": [], "not_found": wanted["user_ids"]}


@pytest.mark.integration
@pytest.mark.django_db
def test_the_organization_of_a_user_cannot_be_chosen_or_changed(api: Api, other_api: Api) -> None:
    user = api.create(email="jane@example.com")
    other = {"organization": other_api.organization_id, "organization_id": "x"}
    for answer in (
        api.post("/api/v1/users/", {"email": "joe@example.com", **other}),
        api.patch(user_path(user["user_id"]), other),
    ):
        assert answer.error == (400, "validation_error")
        assert set(answer.details) == set(other)
