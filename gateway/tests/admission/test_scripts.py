"""Commands to a Redis that restarts, forgets, stalls or is not there."""

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
def echo(client: Any) -> Script:
    """A script that replies its arguments."""
    script = Script()
    script.source = "return ARGV"
    script.digest = client.script_load(script.source)
    return script


def test_arguments_and_replies_arrive_as_they_are(client: Any, echo: Script) -> None:
    args: list[str | bytes | int] = ["", "ü\r\n$3\r\n", b"\x00\xff", -7, "x" * 100_000]
    expected = [b"", "ü\r\n$3\r\n".encode(), b"\x00\xff", b"-7", b"x" * 100_000]
    assert Scripts(client).run(echo, [], args) == expected


def test_a_command_is_packed_in_bytes_not_characters() -> None:
    assert pack("SET", "ü", 1) == b"*3\r\n$3\r\nSET\r\n$2\r\n\xc3\xbc\r\n$1\r\n1\r\n"


def test_a_script_that_redis_forgot_is_loaded_again(client: Any) -> None:
    scripts = Scripts(client)
    client.script_flush()
    assert scripts.run(ENTER, ["nothing"], ["digest", 0]) == []
    client.script_flush()
    assert scripts.run(ENTER, ["nothing"], ["digest", 0]) == []


def test_the_probe_of_a_redis_that_restarted_without_its_scripts_closes_the_breaker(
    client: Any,
) -> None:
    scripts, now = Scripts(client), [0.0]
    scripts._breaker = CircuitBreaker(failures=1, cooldown=2.0, clock=lambda: now[0])
    scripts._breaker.failed()
    with pytest.raises(RedisDown):
        scripts.run(ENTER, ["nothing"], ["digest", 0])
    client.script_flush()
    now[0] = 2.0
    assert scripts.run(ENTER, ["nothing"], ["digest", 0]) == []
    assert scripts.run(ENTER, ["nothing"], ["digest", 0]) == []


def test_a_connection_that_redis_closed_is_replaced(
    client: Any, echo: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_IDLE_SECONDS", -1)
    scripts = Scripts(client)
    assert scripts.run(echo, [], ["1"]) == [b"1"]
    client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert scripts.run(echo, [], ["2"]) == [b"2"]


def test_a_late_reply_is_never_taken_for_another(client: Any, echo: Script, redis_url: str) -> None:
    with connect(redis_url, timeout=0.3) as impatient:
        scripts = Scripts(impatient)
        assert scripts.run(echo, [], ["1"]) == [b"1"]
        client.execute_command("CLIENT", "PAUSE", 500, "ALL")
        with pytest.raises(RedisDown):
            scripts.run(echo, [], ["late"])
        # Answered when the pause is over.
        client.ping()
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
    scripts = Scripts(connect("redis://127.0.0.1:1/0", timeout=0.2))
    for _ in range(10):
        with pytest.raises(RedisDown):
            scripts.command("PING")
    assert len(asked) == 3
