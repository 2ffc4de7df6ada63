"""Fixtures of the user service's suites."""

from collections.abc import Iterator

import pytest

from carillon.redis_client import connect
from carillon.web.tenants.models import Organization
from carillon.web.tests.patient import patient  # noqa: F401
from carillon.web.tests.quick import quick  # noqa: F401
from user_service.tests.calls import Api
from user_service.tests.gateway import Gateway


@pytest.fixture
def api(db: None, redis_url: str) -> Api:
    """Calls of an organization that the gateway synced."""
    api = Api()
    Organization.objects.create(id=api.organization_id, name="Acme")
    return api


@pytest.fixture
def other_api(db: None, redis_url: str) -> Api:
    """Calls of another organization."""
    api = Api()
    Organization.objects.create(id=api.organization_id, name="Umbrella")
    return api


@pytest.fixture
def committed_api(transactional_db: None, redis_url: str) -> Api:
    """As `api`, with real commits: what is told on commit is told."""
    api = Api()
    Organization.objects.create(id=api.organization_id, name="Acme")
    return api


@pytest.fixture
def gateway(redis_url: str) -> Iterator[Gateway]:
    """The caches as the gateway reads them."""
    with connect(redis_url) as client:
        yield Gateway(client)
