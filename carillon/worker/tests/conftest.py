"""Servers for the worker's tests."""

from collections.abc import Iterator

import pytest

from carillon.broker.tests.conftest import Broker
from carillon.broker.tests.conftest import broker as broker
from carillon.worker import redis_link
from carillon.worker.redis_link import RedisLink
from carillon.worker.tests.harness import Platform

__all__ = ["Broker", "broker", "link"]


@pytest.fixture(autouse=True)
def patient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy Redis is not away, but where a test is about its silence."""
    if "redis_proxy" not in request.fixturenames:
        monkeypatch.setattr(redis_link, "TIMEOUT_SECONDS", 60.0)


@pytest.fixture
def link(redis_url: str) -> Iterator[RedisLink]:
    """A link to an empty Redis."""
    link = RedisLink(redis_url)
    yield link
    link.close()


@pytest.fixture
def platform(broker: Broker) -> Iterator[Platform]:
    """The rest of the platform, on an empty RabbitMQ."""
    with Platform(broker.url) as platform:
        yield platform
