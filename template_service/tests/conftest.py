"""Organizations, calls, and a cache of our own."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client

from carillon.contracts import ids
from carillon.testing.servers import require
from carillon.web.tenants.models import Organization
from carillon.web.tests.patient import patient  # noqa: F401
from carillon.web.tests.quick import quick  # noqa: F401
from template_service.templates import cache
from template_service.tests.calls import Author


@pytest.fixture
def author(db: None, redis_url: str) -> Iterator[Author]:
    """An organization, on an empty cache."""
    require("DATABASE_URL")
    yield new_author()
    cache.cache()._redis.connection_pool.disconnect()


@pytest.fixture
def stranger(author: Author) -> Author:
    """Another organization."""
    return new_author()


def new_author() -> Author:
    """The calls of one organization."""
    organization = Organization.objects.create(id=ids.new_id(ids.ORGANIZATION), name="Acme")
    return Author(Client(), organization.id, settings.CARILLON.internal_secrets[0])
