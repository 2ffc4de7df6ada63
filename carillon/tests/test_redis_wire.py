"""One connection to Redis: replies of every size, refusals, silence and what is no Redis at all."""

import socket
import time
from collections.abc import Callable, Iterator
from threading import Thread

import pytest
import redis

from carillon.redis_client import connect
from carillon.redis_wire import Wire, pack

# Seconds: a busy machine answers late, and who is silent is not waited for.
PATIENCE, HASTE = 60.0, 0.3
Speak = Callable[[socket.socket], None]


@pytest.fixture
def speaking() -> Iterator[Callable[..., Wire]]:
    """A wire to a server that answers the first command of each connection by `speak`."""
    listener = socket.create_server(("127.0.0.1", 0))
    clients: list[redis.Redis] = []

    def serve(speak: Speak) -> None:
        while True:
            try:
                served, _ = listener.accept()
            except OSError:
                return
            with served:
                answer_handshake(served)
                speak(served)

    def make(speak: Speak, timeout: float = PATIENCE) -> Wire:
        Thread(target=serve, args=(speak,), daemon=True).start()
        port = listener.getsockname()[1]
        client = connect(f"redis://127.0.0.1:{port}/0?protocol=2", timeout=timeout)
        clients.append(client)
        return Wire(client.connection_pool.make_connection())

    yield make
    listener.close()
    for client in clients:
        client.close()


def answer_handshake(served: socket.socket) -> None:
    """What redis-py expects on a new connection, until our command is there."""
    while b"OURS" not in (said := served.recv(65_536)):
        if not said:
            return
        served.sendall(b"+PONG\r\n" if b"PING" in said else b"+OK\r\n" * said.count(b"*"))


def times_out(served: socket.socket) -> None:
    served.recv(1)  # until the other end gives up


@pytest.mark.integration
def test_replies_of_every_kind_and_size(redis_url: str) -> None:
    with connect(redis_url) as client:
        wire = Wire(client.connection_pool.make_connection())
        assert wire.call(pack("ECHO", "ü")) == "ü".encode()
        large = b"x" * 1_000_000
        assert wire.call(pack("ECHO", large)) == large
        assert wire.call(pack("GET", "wire:nothing")) is None
        assert wire.call(pack("EVAL", "return {1, {'a'}, false}", 0)) == [1, [b"a"], None]
        wire.close()
        assert wire.call(pack("ECHO", "again")) == b"again"


@pytest.mark.integration
def test_a_refusal_is_an_error_and_the_connection_stays(redis_url: str) -> None:
    with connect(redis_url) as client:
        wire = Wire(client.connection_pool.make_connection())
        number = wire.call(pack("CLIENT", "ID"))
        with pytest.raises(redis.exceptions.NoScriptError):
            wire.call(pack("EVALSHA", "0" * 40, 0))
        with pytest.raises(redis.ResponseError, match="unknown command"):
            wire.call(pack("NONSENSE"))
        assert wire.call(pack("CLIENT", "ID")) == number


@pytest.mark.integration
def test_several_commands_are_answered_in_order(redis_url: str) -> None:
    with connect(redis_url) as client:
        wire = Wire(client.connection_pool.make_connection())
        packet = pack("SET", "wire:a", 1.5) + pack("GET", "wire:a") + pack("GET", "wire:nothing")
        assert wire.exchange(packet, 3) == [b"OK", b"1.5", None]


@pytest.mark.integration
def test_a_refusal_among_several_does_not_shift_later_replies(redis_url: str) -> None:
    with connect(redis_url) as client:
        wire = Wire(client.connection_pool.make_connection())
        number = wire.call(pack("CLIENT", "ID"))
        with pytest.raises(redis.ResponseError, match="unknown command"):
            wire.exchange(pack("ECHO", "a") + pack("NONSENSE") + pack("ECHO", "b"), 3)
        assert wire.exchange(pack("ECHO", "c") + pack("CLIENT", "ID"), 2) == [b"c", number]


def test_silence_ends_after_the_timeout(speaking: Callable[..., Wire]) -> None:
    """The server is silent until the other end gives up."""
    wire = speaking(times_out, HASTE)
    with pytest.raises(redis.TimeoutError):
        wire.call(pack("OURS"))


@pytest.mark.parametrize("said", [b"", b"$5\r\nhal", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_half_a_reply_and_what_is_none_end_the_connection(
    speaking: Callable[[Speak], Wire], said: bytes
) -> None:
    wire = speaking(lambda served: served.sendall(said))
    with pytest.raises((redis.ConnectionError, redis.TimeoutError)):
        wire.call(pack("OURS"))
    assert not wire.is_open
    assert not wire.is_dead()


def test_a_reply_in_many_pieces_is_one(speaking: Callable[[Speak], Wire]) -> None:
    def dribble(served: socket.socket) -> None:
        for byte in b"$5\r\nhello\r\n":
            served.sendall(bytes([byte]))
        times_out(served)

    assert speaking(dribble).call(pack("OURS")) == b"hello"


def test_a_connection_that_was_closed_meanwhile_is_dead(speaking: Callable[[Speak], Wire]) -> None:
    wire = speaking(lambda served: served.sendall(b"+fine\r\n"))
    assert wire.call(pack("OURS")) == b"fine"
    deadline = time.monotonic() + 60
    while not wire.is_dead() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert wire.is_dead()
