"""The whole platform, once for all end-to-end tests: eight processes on the suite's own servers."""

from collections.abc import Iterator

import pytest

from carillon.testing.proxy import TCPProxy
from carillon.testing.servers import require
from carillon.testing.smtp_sink import SMTPSink
from deploy.local.environment import Addresses
from tests.end_to_end.collector import Collector
from tests.end_to_end.providers import World, providers_world
from tests.end_to_end.stack import Stack, Tenant, proxied


@pytest.fixture(scope="session")
def mailbox() -> Iterator[SMTPSink]:
    """Where the email worker delivers."""
    with SMTPSink() as sink:
        yield sink


@pytest.fixture(scope="session")
def broker_proxy() -> Iterator[tuple[TCPProxy, str]]:
    """The link to RabbitMQ, and the URL that leads over it."""
    proxy, url = proxied(require("RABBITMQ_URL"))
    with proxy:
        yield proxy, url


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Where every process sends its traces."""
    with Collector() as running:
        yield running


@pytest.fixture(scope="session")
def stack(
    tmp_path_factory: pytest.TempPathFactory,
    mailbox: SMTPSink,
    collector: Collector,
    broker_proxy: tuple[TCPProxy, str],
) -> Iterator[Stack]:
    """The platform, up and migrated."""
    addresses = Addresses(
        database=require("DATABASE_URL"),
        redis=require("REDIS_URL"),
        rabbitmq=broker_proxy[1],
        smtp=f"smtp://127.0.0.1:{mailbox.port}",
    )
    running = Stack(
        tmp_path_factory.mktemp("stack"),
        addresses,
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            # Organizations' mail servers are of this machine here.
            "PROVIDER_ACCOUNTS_PRIVATE_HOSTS": "true",
        },
    )
    try:
        running.start()
        yield running
    finally:
        running.close()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Another platform, once for all tests that are about what providers report."""
    with providers_world(tmp_path_factory.mktemp("providers")) as ready:
        yield ready


@pytest.fixture
def broker_link(stack: Stack, broker_proxy: tuple[TCPProxy, str]) -> Iterator[TCPProxy]:
    """The platform's link to RabbitMQ, healed afterwards."""
    yield broker_proxy[0]
    broker_proxy[0].heal()


@pytest.fixture
def tenant(stack: Stack) -> Tenant:
    """An organization that no other test uses, with a user and a template for each channel."""
    return stack.new_tenant()
