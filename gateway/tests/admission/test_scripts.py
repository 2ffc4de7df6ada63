"""Commands to a Redis that restarts, forgets, stalls or is not there.

Other suites use the same server: nothing here may reach their connections or their scripts.
"""

import hashlib
import socket
import struct
import threading
import uuid
from typing import Any

import pytest

from carillon.clients.breaker import CircuitBreaker
from carillon.redis_client import connect
from carillon.redis_wire import Wire, pack
from gateway.admission import scripts as module
from gateway.admission.scripts import ENTER, RedisDown, Script, Scripts

pytestmark = pytest.mark.integration


@pytest.fixture
def client(redis_url: str) -> Any:
    with connect(redis_url, timeout=30) as client:
        yield client


@pytest.fixture
def echo() -> Script:
    """A script that replies its arguments."""
    return unknown("return ARGV")


def unknown(source: str) -> Script:
    """A script that Redis does not know, as after a restart."""
    script = Script()
    script.source = f"{source}\n-- {uuid.uuid4()}"
    script.digest = hashlib.sha1(script.source.encode(), usedforsecurity=False).hexdigest()
    return script


def lose_patience(scripts: Scripts) -> None:
    """The connection that there is gives up soon; the next one has all the time it wants."""
    connected = scripts._wire()._socket
    assert connected is not None
    soon = struct.pack("@ll", 0, 200_000)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, soon)


def test_arguments_and_replies_arrive_as_they_are(client: Any, echo: Script) -> None:
    args: list[str | bytes | int] = ["", "ü\r\n$3\r\n", b"\x00\xff", -7, "x" * 100_000]
    expected = [b"", "ü\r\n$3\r\n".encode(), b"\x00\xff", b"-7", b"x" * 100_000]
    assert Scripts(client).run(echo, [], args) == expected


def test_a_command_is_packed_in_bytes_not_characters() -> None:
    assert pack("SET", "ü", 1) == b"*3\r\n$3\r\nSET\r\n$2\r\n\xc3\xbc\r\n$1\r\n1\r\n"


def test_a_script_that_redis_forgot_is_loaded_again(client: Any) -> None:
    scripts = Scripts(client)
    for _ in range(2):
        enter = unknown(ENTER.source)
        assert client.script_exists(enter.digest) == [False]
        for _ in range(2):
            assert scripts.run(enter, ["nothing"], ["digest", 0, 0]) == []


def test_the_probe_of_a_redis_that_restarted_without_its_scripts_closes_the_breaker(
    client: Any, echo: Script
) -> None:
    scripts, now = Scripts(client), [0.0]
    scripts._breaker = CircuitBreaker(failures=1, cooldown=2.0, clock=lambda: now[0])
    scripts._breaker.failed()
    with pytest.raises(RedisDown):
        scripts.run(echo, [], ["1"])
    now[0] = 2.0
    assert scripts.run(echo, [], ["2"]) == [b"2"]
    assert scripts.run(echo, [], ["3"]) == [b"3"]


def test_a_connection_that_redis_closed_is_replaced(
    client: Any, echo: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_IDLE_SECONDS", -1)
    scripts = Scripts(client)
    assert scripts.run(echo, [], ["1"]) == [b"1"]
    assert client.client_kill_filter(_id=scripts.command("CLIENT", "ID")) == 1
    assert scripts.run(echo, [], ["2"]) == [b"2"]


def test_threads_may_come_and_go(client: Any) -> None:
    scripts = Scripts(client)
    replies: list[object] = []
    for _ in range(150):
        thread = threading.Thread(target=lambda: replies.append(scripts.command("PING")))
        thread.start()
        thread.join()
    assert replies == [b"PONG"] * 150


def test_a_late_reply_is_never_taken_for_another(client: Any, echo: Script) -> None:
    scripts = Scripts(client)
    assert scripts.run(echo, [], ["1"]) == [b"1"]
    lose_patience(scripts)
    with pytest.raises(RedisDown):
        scripts.command("BLPOP", "late", 0)
    client.rpush("late", "too late")
    assert scripts.run(echo, [], ["2"]) == [b"2"]


def test_an_error_of_a_script_leaves_the_connection_usable(client: Any, echo: Script) -> None:
    scripts = Scripts(client)
    with pytest.raises(RedisDown):
        scripts.command("NONSENSE")
    assert scripts.run(echo, [], ["1"]) == [b"1"]


def test_a_redis_that_is_not_there_is_soon_not_asked_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    call = Wire.call

    def counted(self: Wire, command: bytes) -> Any:
        asked.append(command)
        return call(self, command)

    monkeypatch.setattr(Wire, "call", counted)
    scripts = Scripts(connect("redis://127.0.0.1:1/0", timeout=30))
    scripts._breaker._clock = lambda: 0.0
    for _ in range(10):
        with pytest.raises(RedisDown):
            scripts.command("PING")
    assert len(asked) == 3
