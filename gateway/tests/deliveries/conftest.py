"""What the tests of deliveries share."""

from collections.abc import Callable, Iterator

import pytest

from carillon.contracts import ids
from carillon.contracts.messages import DeliveryEvent
from gateway.deliveries.services.events import AppliedBatch, apply_events
from gateway.deliveries.services.reading import ReadEvent
from gateway.outbox.database import BY_INDEX, Connection, connect
from gateway.tests.commands import Start, commands
from gateway.tests.policies import POLICIES
from gateway.tests.rabbitmq import RabbitMQ

Apply = Callable[..., AppliedBatch]


@pytest.fixture
def rabbitmq(rabbitmq_url: str) -> Iterator[RabbitMQ]:
    """The topology, empty before and after."""
    server = RabbitMQ(rabbitmq_url)
    server.restore()
    yield server
    server.restore()


@pytest.fixture
def start_events(transactional_db: None, rabbitmq_url: str) -> Iterator[Start]:
    """Events processes of their own: `start_events(EVENTS_BATCH="50")`."""
    with commands("events", rabbitmq_url) as start:
        yield start


@pytest.fixture
def session(transactional_db: None) -> Iterator[Connection]:
    """A session as the events process has it, on the test database."""
    connection = connect("events", idle_in_transaction=30, options=BY_INDEX)
    yield connection
    connection.close()


@pytest.fixture
def apply(session: Connection) -> Apply:
    """Apply events as one batch."""

    def act(*events: DeliveryEvent) -> AppliedBatch:
        return apply_events(session, [read(event) for event in events], POLICIES)

    return act


def read(event: DeliveryEvent) -> ReadEvent:
    notification = ids.parse_id(ids.NOTIFICATION, event.notification_id)
    assert notification is not None
    return ReadEvent(notification, event)
