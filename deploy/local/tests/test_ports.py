import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deploy.local.errors import StackError
from deploy.local.paths import ROOT
from deploy.local.ports import (
    HOST,
    PRIVATE_PORTS,
    accepts,
    allot,
    chosen_port,
    is_free,
    next_free,
    private_port,
)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_with_a_listener_is_not_free(taken: int) -> None:
    assert not is_free(taken)
    assert accepts(taken)


def test_a_listener_on_every_address_takes_the_port_of_loopback_too() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:  # noqa: S104
        assert not is_free(listener.getsockname()[1])


def test_a_port_is_free_again_when_its_last_connections_are_in_time_wait() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection((HOST, port)):
            accepted, _ = listener.accept()
            accepted.close()  # the side that closes first keeps the port in TIME_WAIT
    assert is_free(port)


def test_the_next_free_port_is_the_preferred_one_or_the_one_after(taken: int) -> None:
    free = private_port()
    assert next_free(free) == free
    assert next_free(taken) > taken


def test_a_moved_process_does_not_take_what_another_prefers(taken: int) -> None:
    allotted = allot({"gateway": taken, "user_service": taken + 1})
    assert allotted["gateway"] > taken + 1
    assert allotted["user_service"] >= taken + 1
    assert len(set(allotted.values())) == 2


def test_no_port_left_is_an_error() -> None:
    with pytest.raises(StackError, match="no free port"):
        next_free(65535, avoid=[65535])


def test_private_ports_lie_below_those_of_outgoing_connections() -> None:
    assert private_port() in PRIVATE_PORTS
    assert max(PRIVATE_PORTS) < 32768


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only this process is told")
def test_a_private_port_is_given_once_in_this_process_and_in_others() -> None:
    port = private_port()
    program = (
        "import sys; from deploy.local import ports;"
        f"ports.PRIVATE_PORTS = range({port}, {port + 1}); ports.private_port()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert "StackError: no free port" in ran.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deploy.local.ports.PRIVATE_PORTS", range(port, port + 1))
        with pytest.raises(StackError, match="no free port"):
            private_port()


@pytest.mark.parametrize("value", ["http", "0", "65536", "-1", "80.5"])
def test_what_is_no_port_is_refused_by_name(value: str) -> None:
    with pytest.raises(StackError, match="GATEWAY_PORT"):
        chosen_port("gateway", 8000, {"GATEWAY_PORT": value})


def test_a_chosen_port_wins_over_the_table() -> None:
    assert chosen_port("gateway", 8000, {"GATEWAY_PORT": "9000"}) == 9000
    assert chosen_port("gateway", 8000, {}) == 8000
