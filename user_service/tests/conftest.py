"""Fixtures of the user service's suites."""

import pytest

from carillon.web.tenants.models import Organization
from user_service.tests.calls import Api


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
