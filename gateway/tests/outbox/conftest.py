"""What the tests of the outbox share: RabbitMQ with empty queues, a session, relays."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from django.db import connection as django_connection

from carillon.broker.publisher import Publisher
from carillon.settings import Environment
from gateway.outbox.config import RelaySettings
from gateway.outbox.database import Connection, connect
from gateway.outbox.services.relay import Relay
from gateway.outbox.services.topology_repair import TopologyRepair
from gateway.outbox.services.window import PLANNER_OPTIONS
from gateway.tests.rabbitmq import RabbitMQ

ROOT = Path(__file__).resolve().parents[3]

RunRelay = Callable[..., AbstractContextManager[Relay]]
StartRelay = Callable[..., "subprocess.Popen[bytes]"]


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
    connection = connect("test", idle_in_transaction=30, options=PLANNER_OPTIONS)
    yield connection
    connection.close()


@pytest.fixture
def relay_settings(monkeypatch: pytest.MonkeyPatch) -> RelaySettings:
    """The defaults, with a quick second try of what no queue took."""
    monkeypatch.setenv("RELAY_RETURNED_DELAY", "0.3")
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
            thread.join(timeout=30)
            publisher.close()
            assert not thread.is_alive()

    return run


@pytest.fixture
def start_relay(transactional_db: None, rabbitmq_url: str) -> Iterator[StartRelay]:
    """Relays as processes of their own, as `manage.py relay` starts them."""
    started: list[subprocess.Popen[bytes]] = []

    def start(**environment: str) -> subprocess.Popen[bytes]:
        database = django_connection.settings_dict
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "gateway" / "manage.py"), "relay"],
            env={
                **os.environ,
                "GATEWAY_DATABASE_URL": (
                    f"postgresql://{database['USER']}:{database['PASSWORD']}"
                    f"@{database['HOST']}:{database['PORT']}/{database['NAME']}"
                ),
                "RABBITMQ_URL": rabbitmq_url,
                "RELAY_PORT": "0",
                **environment,
            },
            stdout=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
