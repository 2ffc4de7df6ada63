"""Sign-up: off by default, told to the services, and seldom from one address."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client, RequestFactory

from gateway.admission import client_addresses
from gateway.admission.client_addresses import client_address
from gateway.admission.scripts import RedisDown, scripts
from gateway.config import Registration
from gateway.connections import redis_client
from gateway.organizations.models import APIKey, Organization
from gateway.tests.calls import Answer, Api
from gateway.tests.doubles import ServiceDouble

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

REGISTER = "/api/v1/organizations/register/"
BODY = {"name": "Acme", "email": "ops@acme.example.org"}
Services = tuple[ServiceDouble, ServiceDouble]


@pytest.fixture
def services(
    user_double: ServiceDouble, template_double: ServiceDouble, redis_url: str, configure: Any
) -> Services:
    client_addresses._process_limits._full_at.clear()
    configure(registration=Registration(allowed=True, most=3, seconds=3_600))
    _forget_addresses()
    return user_double, template_double


def _forget_addresses() -> None:
    for key in redis_client().scan_iter("carillon:address:*"):
        redis_client().delete(key)


def register(body: Any = BODY, address: str = "198.51.100.7", **headers: str) -> Answer:
    response = Client(REMOTE_ADDR=address, **headers).post(  # type: ignore[arg-type]
        REGISTER, json.dumps(body), content_type="application/json"
    )
    return Answer(response.status_code, dict(response.headers), json.loads(response.content))


def test_it_is_off_unless_allowed(configure: Any) -> None:
    assert not django_settings.GATEWAY.registration.allowed
    bodies: tuple[object, ...] = (BODY, {}, [])
    for body in bodies:
        assert register(body).error == (403, "registration_disabled")
    assert not Organization.objects.exists()


def test_an_organization_gets_its_keys_once_and_the_services_know_it(services: Services) -> None:
    answer = register()
    assert answer.status == 201
    organization = Organization.objects.get()
    assert answer.data["organization_id"] == organization.pk
    assert (organization.name, organization.plan) == ("Acme", "free")
    assert organization.contact_email == "ops@acme.example.org"
    for name, mode in (("api_key", "live"), ("test_api_key", "test")):
        api = Api(answer.data[name])
        shown = api.get("/api/v1/organizations/me/").data
        assert (shown["organization_id"], shown["api_key"]["mode"]) == (organization.pk, mode)
        assert api.get("/api/v1/api-keys/").status == 200
        assert answer.data[name] not in str(api.get("/api/v1/api-keys/").body)
    for service in services:
        (call,) = [c for c in service.calls if c.path == "/internal/organizations/"]
        assert json.loads(call.body)["organization_id"] == organization.pk
        assert b"ops@" not in call.body


def test_a_name_that_exists_is_answered_like_any_other(services: Services) -> None:
    first, second = register(), register()
    assert (first.status, second.status) == (201, 201)
    assert first.data.keys() == second.data.keys()
    assert first.data["organization_id"] != second.data["organization_id"]
    assert first.body["message"] == second.body["message"]


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ({}, "missing_fields", {"name", "email"}),
        ({"name": "Acme"}, "missing_fields", {"email"}),
        ({**BODY, "name": ""}, "validation_error", {"name"}),
        ({**BODY, "name": "   "}, "validation_error", {"name"}),
        ({**BODY, "name": "x" * 201}, "validation_error", {"name"}),
        ({**BODY, "name": "two\nlines"}, "validation_error", {"name"}),
        ({**BODY, "name": "\x00"}, "invalid_json", set()),
        ({**BODY, "email": "ops"}, "validation_error", {"email"}),
        ({**BODY, "email": "a@x.org,b@y.org"}, "validation_error", {"email"}),
        ({**BODY, "email": "Ops <ops@acme.org>"}, "validation_error", {"email"}),
        ({**BODY, "email": "a@x.org\r\nBcc: b@y.org"}, "validation_error", {"email"}),
        ({**BODY, "plan": "enterprise"}, "validation_error", {"plan"}),
        ({**BODY, "monthly_quota": 10}, "validation_error", {"monthly_quota"}),
        ([], "invalid_json", set()),
    ],
)
def test_a_bad_body_creates_nothing(
    services: Services, body: object, code: str, named: set[str]
) -> None:
    answer = register(body)
    assert answer.error == (400, code)
    assert set(answer.details) == named
    assert not Organization.objects.exists()


def test_an_address_registers_seldom_and_the_next_one_is_free_to(services: Services) -> None:
    answers = [register() for _ in range(4)]
    assert [answer.status for answer in answers] == [201, 201, 201, 429]
    assert answers[0].headers["RateLimit"].startswith('"registration";r=2;')
    refused = answers[-1]
    assert refused.error == (429, "rate_limit_exceeded")
    assert 0 < int(refused.headers["Retry-After"]) <= 1_200
    assert Organization.objects.count() == 3
    assert register(address="198.51.100.8").status == 201
    # What is wrong is not counted: a typo locks nobody out.
    assert register({}, address="198.51.100.9").status == 400
    assert [register(address="198.51.100.9").status for _ in range(4)] == [201, 201, 201, 429]


def test_what_the_client_writes_into_a_header_changes_nothing(services: Services) -> None:
    answers = [register(HTTP_X_FORWARDED_FOR=f"203.0.113.{number}") for number in range(4)]
    assert [answer.status for answer in answers] == [201, 201, 201, 429]


def test_without_redis_each_process_counts(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_arguments: object) -> None:
        raise RedisDown

    monkeypatch.setattr(scripts(), "run", down)
    assert [register().status for _ in range(4)] == [201, 201, 201, 429]


@pytest.mark.parametrize("which", [0, 1])
def test_a_service_that_is_down_leaves_nothing_half_made(services: Services, which: int) -> None:
    services[which].down = True
    answer = register()
    assert answer.error == (503, "service_unavailable")
    assert not Organization.objects.exists()
    assert not APIKey.objects.exists()
    for service in services:
        assert not [call for call in service.calls if call.path == "/internal/organizations/"]


@pytest.mark.parametrize(
    ("proxy", "remote", "forwarded", "expected"),
    [
        (False, "198.51.100.7", "203.0.113.1", "198.51.100.7"),
        (True, "10.0.0.1", "203.0.113.1", "203.0.113.1"),
        (True, "10.0.0.1", "1.1.1.1, 203.0.113.1", "203.0.113.1"),
        (True, "10.0.0.1", "", "10.0.0.1"),
        (False, "::ffff:198.51.100.7", "", "198.51.100.7"),
        (False, "2001:db8:1:2:3:4:5:6", "", "20010db800010002::/64"),
        (False, "2001:db8:1:2::9", "", "20010db800010002::/64"),
        (False, "", "", ""),
    ],
)
def test_who_calls(settings: Any, proxy: bool, remote: str, forwarded: str, expected: str) -> None:
    own = settings.CARILLON
    settings.CARILLON = replace(own, security=replace(own.security, behind_proxy=proxy))
    request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == expected.removeprefix("0")
