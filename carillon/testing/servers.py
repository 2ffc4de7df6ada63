"""Pytest fixtures for the real servers: skipped where there are none, failed in CI."""

import os
from collections.abc import Iterator

import pytest
import redis


def require(name: str) -> str:
    """The server address in environment variable `name`; without it, skip (fail in CI)."""
    address = os.environ.get(name, "")
    if not address:
        reason = f"{name} is not set; `make test` starts the servers and sets it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return address


@pytest.fixture
def redis_url() -> Iterator[str]:
    """An empty Redis database of our own, emptied again afterwards."""
    url = require("REDIS_URL")
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()


@pytest.fixture
def rabbitmq_url() -> str:
    """A RabbitMQ virtual host that no other test run uses."""
    return require("RABBITMQ_URL")
