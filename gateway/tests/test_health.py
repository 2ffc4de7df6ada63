"""Health names every dependency, and tells serving from healthy."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from carillon.web.health import health_urls
from gateway import health
from gateway.tests.conftest import Tenant, forget_connections

pytestmark = [pytest.mark.integration]

NAMES = {"database", "redis", "rabbitmq", "user_service", "template_service"}


def unhealthy(report: Any) -> set[str]:
    assert set(report["checks"]) == NAMES
    return {name for name, check in report["checks"].items() if check["status"] != "healthy"}


def test_every_dependency_is_named_and_all_are_well(
    committed_tenant: Tenant, rabbitmq_url: str, configure: Any
) -> None:
    configure(rabbitmq_url=rabbitmq_url)
    well, report = health.everything().report()
    assert (well, unhealthy(report)) == (True, set())
    assert report["service"] == "gateway"


def test_each_that_is_down_is_named(
    committed_tenant: Tenant, settings: Any, configure: Any
) -> None:
    configure(rabbitmq_url="amqp://secret:hidden@127.0.0.1:1/")
    committed_tenant.users.down = True
    settings.CARILLON = replace(settings.CARILLON, redis_url="redis://127.0.0.1:1/0")
    forget_connections()
    well, report = health.everything().report()
    assert not well
    assert unhealthy(report) == {"redis", "rabbitmq", "user_service"}
    assert "hidden" not in str(report)


def test_readiness_needs_the_database_alone(committed_tenant: Tenant, settings: Any) -> None:
    # Those of the process ask the services that it knew when it read its addresses.
    anew = health_urls(everything=health.everything(), serving=health.serving())
    settings.ROOT_URLCONF = tuple(anew)
    committed_tenant.users.down = committed_tenant.templates.down = True
    response = Client().get("/health/ready/")
    assert (response.status_code, list(response.json()["checks"])) == (200, ["database"])
    assert Client().get("/health/").status_code == 503
