"""Fixtures of the gateway's suites: the services' doubles, an organization, its keys."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.conf import settings as django_settings

from carillon.contracts.messages import Mode
from carillon.redis_client import connect
from carillon.redis_wire import Wire
from carillon.web.tests.patient import patient  # noqa: F401
from carillon.web.tests.quick import quick  # noqa: F401
from gateway import connections
from gateway.admission import entry, foresight, reservations, scripts
from gateway.forwarding import client as forwarding
from gateway.organizations import usage
from gateway.organizations.models import Organization, PlanName
from gateway.organizations.services import create_api_key
from gateway.tests.calls import Api
from gateway.tests.doubles import ServiceDouble, serving
from gateway.tests.patient import patient_gateway  # noqa: F401
from gateway.unsubscribe import pages as unsubscribe


def forget_connections() -> None:
    """As in a process that has just started."""
    for cached in (
        connections.redis_client,
        connections.user_service,
        connections.template_service,
        connections.users,
        connections.templates,
        connections.policies,
        connections.suppressions,
        scripts.scripts,
        entry._plan_arguments,
        forwarding._client,
        connections.link_signer,
        connections.credential_sealer,
        unsubscribe._user_service,
    ):
        cached.cache_clear()
    entry._process_limits._full_at.clear()
    entry._records.clear()
    foresight._mistaken.clear()
    reservations.process_limits._full_at.clear()
    reservations._committed.clear()
    reservations._outdated.clear()
    usage._noted.clear()


@pytest.fixture
def configure(settings: Any) -> Iterator[Any]:
    """`configure(field=value)` changes the gateway's settings for one test."""

    def change(**fields: Any) -> None:
        settings.GATEWAY = replace(django_settings.GATEWAY, **fields)
        forget_connections()

    forget_connections()
    yield change
    forget_connections()


@pytest.fixture
def user_double(redis_url: str, configure: Any) -> Iterator[ServiceDouble]:
    """The user service."""
    yield from _double("users", "user_service_url", redis_url, configure)


@pytest.fixture
def template_double(redis_url: str, configure: Any) -> Iterator[ServiceDouble]:
    """The template service."""
    yield from _double("templates", "template_service_url", redis_url, configure)


def _double(kind: str, setting: str, redis_url: str, configure: Any) -> Iterator[ServiceDouble]:
    with connect(redis_url) as client:
        double = ServiceDouble(kind, django_settings.CARILLON.internal_secrets[0], client)
        with serving(double):
            configure(**{setting: double.url})
            yield double


@dataclass
class Tenant:
    """An organization and what its client app needs."""

    organization: Organization
    api: Api
    test_api: Api
    users: ServiceDouble
    templates: ServiceDouble

    @property
    def id(self) -> str:
        return str(self.organization.pk)

    def api_with(self, *scopes: str, mode: Mode = Mode.LIVE) -> Api:
        """Calls with a new key of these scopes."""
        _, key = create_api_key(self.organization, mode=mode, scopes=scopes)
        return Api(key.text)


def make_tenant(
    users: ServiceDouble, templates: ServiceDouble, name: str = "Acme", **fields: Any
) -> Tenant:
    """A new organization of plan pro, with both keys."""
    organization = Organization.objects.create(name=name, **{"plan": PlanName.PRO, **fields})
    _, live = create_api_key(organization, mode=Mode.LIVE)
    _, test = create_api_key(organization, mode=Mode.TEST)
    return Tenant(organization, Api(live.text), Api(test.text), users, templates)


@pytest.fixture
def tenant(db: None, user_double: ServiceDouble, template_double: ServiceDouble) -> Tenant:
    """An organization in a transaction that is rolled back."""
    return make_tenant(user_double, template_double)


@pytest.fixture
def other_tenant(tenant: Tenant) -> Tenant:
    """Another organization."""
    return make_tenant(tenant.users, tenant.templates, "Umbrella")


@pytest.fixture
def committed_tenant(
    transactional_db: None, user_double: ServiceDouble, template_double: ServiceDouble
) -> Tenant:
    """An organization that other threads see too."""
    return make_tenant(user_double, template_double)


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is sent to Redis on the connections of requests."""
    sent: list[bytes] = []
    call = Wire.call

    def noted(self: Wire, command: bytes) -> Any:
        sent.append(command)
        return call(self, command)

    monkeypatch.setattr(Wire, "call", noted)
    return sent
