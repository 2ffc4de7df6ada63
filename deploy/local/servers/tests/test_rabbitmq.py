import time
from pathlib import Path

import pika  # type: ignore[import-untyped]
import pika.exceptions  # type: ignore[import-untyped]
import pytest

from deploy.local.errors import StackError
from deploy.local.identity import ProcessIdentity
from deploy.local.ports import accepts
from deploy.local.roster import Roster
from deploy.local.servers.rabbitmq import RabbitMQ
from deploy.local.tests.marks import nothing_left

# Two starts and four rabbitmqctl take half a minute where nothing else runs.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(420)]


def started(roster: Roster) -> dict[str, ProcessIdentity]:
    return {child.name: child.identity for child in roster.children()}


def connect(url: str) -> pika.BlockingConnection:
    return pika.BlockingConnection(pika.URLParameters(url))


def publish(url: str, body: bytes) -> None:
    with connect(url) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("kept", durable=True, arguments={"x-queue-type": "quorum"})
        persistent = pika.BasicProperties(delivery_mode=2)
        channel.basic_publish("", "kept", body, persistent, mandatory=True)


def take(url: str) -> bytes | None:
    """A quorum queue first elects its leader after a start: its message may take a moment."""
    with connect(url) as connection:
        channel = connection.channel()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            _, _, body = channel.basic_get("kept", auto_ack=True)
            if body is not None:
                return bytes(body)
            connection.sleep(0.05)
    return None


def test_a_life_with_two_virtual_hosts(tmp_path: Path, roster: Roster) -> None:
    """One test for all of it: each start takes six seconds."""
    server = RabbitMQ(
        tmp_path / "rabbitmq", roster=roster, password="pass", virtual_hosts=("one", "two")
    )
    server.start()

    # Each virtual host is its own, and there is no guest.
    publish(server.url, b"before the crash")
    with (
        connect(server.virtual_host_url("two")) as connection,
        pytest.raises(pika.exceptions.ChannelClosedByBroker),
    ):
        connection.channel().queue_declare("kept", passive=True)
    server.control("authenticate_user", "carillon", "pass")
    for user, password in (("guest", "guest"), ("carillon", "guess")):
        with pytest.raises(StackError, match=r"(?i)failed to authenticate"):
            server.control("authenticate_user", user, password)
    assert set(server.control("list_vhosts", "--no-table-headers").split()) == {"one", "two"}

    # A crash loses no message; its epmd goes along and comes back along.
    first = started(roster)
    assert set(first) == {"rabbitmq", "rabbitmq-epmd"}
    server.kill()
    assert not any(identity.alive for identity in first.values())
    server.start()
    assert take(server.url) == b"before the crash"

    # An orderly stop leaves nothing: no server, no epmd, no helper of Erlang's.
    second = started(roster)
    server.stop()
    assert not any(identity.alive for identity in second.values())
    assert nothing_left(tmp_path)
    assert not accepts(server.port)


def test_a_definition_file_holds_no_password(tmp_path: Path, roster: Roster) -> None:
    server = RabbitMQ(tmp_path / "rabbitmq", roster=roster, password="pass-in-clear")
    server.prepare()
    for file in (tmp_path / "rabbitmq").iterdir():
        assert "pass-in-clear" not in file.read_text()
        assert file.stat().st_mode & 0o077 == 0
    assert roster.children() == []
