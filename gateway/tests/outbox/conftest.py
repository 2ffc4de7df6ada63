"""What the tests of the outbox share: RabbitMQ with empty queues, a session, relays."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.db import connection

from carillon.broker.publisher import Publisher
from carillon.settings import Environment
from gateway.outbox.config import RelaySettings
from gateway.outbox.database import BY_INDEX, Connection, connect
from gateway.outbox.services.relay import Relay
from gateway.outbox.services.topology_repair import TopologyRepair
from gateway.tests.commands import Start, commands
from gateway.tests.rabbitmq import RabbitMQ

RunRelay = Callable[..., AbstractContextManager[Relay]]


@pytest.fixture
def rabbitmq(rabbitmq_url: str) -> Iterator[RabbitMQ]:
    """The topology, empty before and after."""
    server = RabbitMQ(rabbitmq_url)
    server.restore()
    yield server
    server.restore()


@pytest.fixture
def session(transactional_db: None) -> Iterator[Connection]:
    """A session as the relay has it, on the test database."""
    session = connect("test", idle_in_transaction=30, options=BY_INDEX)
    yield session
    session.close()


@pytest.fixture
def relay_settings(monkeypatch: pytest.MonkeyPatch) -> RelaySettings:
    """A quick second try of what no queue took, and all the time for what is late."""
    monkeypatch.setenv("RELAY_RETURNED_DELAY", "0.3")
    monkeypatch.setenv("RELAY_PUBLISH_TIMEOUT", "60")
    return RelaySettings.read(Environment())


@pytest.fixture
def run_relay(transactional_db: None, rabbitmq_url: str) -> RunRelay:
    """A relay in a thread, for the length of a `with` block: `run_relay(settings, url=…)`."""

    @contextmanager
    def run(settings: RelaySettings, *, url: str = rabbitmq_url) -> Iterator[Relay]:
        publisher = Publisher(url, name="relay")
        relay = Relay(publisher, settings, TopologyRepair(url))
        thread = threading.Thread(target=relay.run)
        publisher.start()
        thread.start()
        try:
            yield relay
        finally:
            relay.stop()
            thread.join(timeout=90)
            publisher.close()
            assert not thread.is_alive()

    return run


@pytest.fixture
def start_relay(
    transactional_db: None, rabbitmq_url: str, relay_settings: RelaySettings
) -> Iterator[Start]:
    """Relays as processes of their own: `start_relay(RELAY_WINDOW="50")`."""
    with commands("relay", rabbitmq_url) as start:
        yield start


@pytest.fixture
def hurry(transactional_db: None) -> Iterator[Callable[[], None]]:
    """Until it is called, each window takes a tenth of a second more.

    So a relay is at work when it is ended.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN PERFORM pg_sleep(0.1); RETURN NULL; END'"
        )
        cursor.execute(
            "CREATE TRIGGER take_time AFTER DELETE ON outbox_outboxmessage"
            " FOR EACH STATEMENT EXECUTE FUNCTION take_time()"
        )

    def as_ever() -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION IF EXISTS take_time CASCADE")

    yield as_ever
    as_ever()
