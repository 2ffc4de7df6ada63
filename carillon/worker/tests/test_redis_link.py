"""The link to Redis, whole and broken."""

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from carillon.testing.proxy import TCPProxy
from carillon.worker.redis_link import PROBE_EVERY_SECONDS, RedisLink, RedisUnavailable

pytestmark = pytest.mark.integration


@pytest.fixture
def proxy(redis_url: str) -> Iterator[TCPProxy]:
    with TCPProxy.in_front_of(redis_url) as proxy:
        yield proxy


@pytest.fixture
def proxied(redis_url: str, proxy: TCPProxy) -> Iterator[RedisLink]:
    link = RedisLink(proxy.reroute(redis_url))
    yield link
    link.close()


class Clock:
    """Stands still until it is told otherwise."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(redis_url: str, proxy: TCPProxy, clock: Clock) -> Iterator[RedisLink]:
    """Looks again for a Redis that is away when `clock` says so."""
    link = RedisLink(proxy.reroute(redis_url), clock=clock)
    yield link
    link.close()


def lose_patience(link: RedisLink) -> None:
    """Its connection, and those that it makes, wait for a moment alone from now on."""
    soon = {"socket_timeout": 0.3, "socket_connect_timeout": 0.3}
    link._pool.connection_kwargs.update(soon)
    connected = link._wire()._socket
    assert connected is not None
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", 0, 300_000))


def test_commands_travel_together(link: RedisLink) -> None:
    replies = link.run(("SET", "a", b"1"), ("GET", "a"), ("GET", "missing"))
    assert replies[1:] == [b"1", None]


def test_a_script_is_evaluated(link: RedisLink) -> None:
    assert link.evaluate("return {KEYS[1], ARGV[1]}", ["k"], [5]) == [b"k", b"5"]


def test_an_error_does_not_shift_later_answers(link: RedisLink) -> None:
    link.run(("SET", "text", b"x"))
    with pytest.raises(RedisUnavailable):
        link.run(("HGET", "text", "field"), ("GET", "text"))
    deadline = time.monotonic() + 60
    while True:
        try:
            assert link.run(("GET", "missing"), ("GET", "text")) == [None, b"x"]
            return
        except RedisUnavailable:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_closed_connection_is_replaced_unnoticed(proxied: RedisLink, proxy: TCPProxy) -> None:
    proxied.ping()
    proxy.cut()
    proxy.heal()
    proxied.ping()


def test_silence_is_unavailability_and_then_costs_nothing(
    timed: RedisLink, proxy: TCPProxy
) -> None:
    timed.ping()
    lose_patience(timed)
    proxy.black_hole()
    with pytest.raises(RedisUnavailable):
        timed.ping()
    for _ in range(100):
        with pytest.raises(RedisUnavailable, match="away"):
            timed.ping()
    assert proxy.made == 1


def test_it_comes_back_by_itself(proxied: RedisLink, proxy: TCPProxy) -> None:
    proxied.ping()
    proxy.cut()
    with pytest.raises(RedisUnavailable):
        proxied.ping()
    proxy.heal()
    deadline = time.monotonic() + 60
    while True:
        try:
            proxied.ping()
            return
        except RedisUnavailable:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_only_one_thread_waits_for_a_silent_redis(
    timed: RedisLink, proxy: TCPProxy, clock: Clock
) -> None:
    timed.ping()
    lose_patience(timed)
    proxy.black_hole()
    with pytest.raises(RedisUnavailable):
        timed.ping()
    clock.now += PROBE_EVERY_SECONDS
    answers: list[str] = []

    def look() -> None:
        with pytest.raises(RedisUnavailable) as caught:
            timed.ping()
        answers.append(str(caught.value))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert proxy.made == 2
    assert sorted(answers)[1:] == ["away"] * 7


def test_threads_do_not_mix_their_answers(link: RedisLink) -> None:
    wrong: list[object] = []

    def work(name: str) -> None:
        for number in range(200):
            value = f"{name}-{number}".encode()
            replies = link.run(("SET", name, value), ("GET", name))
            if replies[1] != value:
                wrong.append(replies)

    threads = [threading.Thread(target=work, args=(f"key{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_each_of_many_threads_has_a_connection(redis_url: str) -> None:
    link = RedisLink(redis_url)
    numbers = set()
    all_there = threading.Barrier(150)

    def ask() -> None:
        (number,) = link.run(("CLIENT", "ID"))
        all_there.wait(60)
        numbers.add(number)

    threads = [threading.Thread(target=ask) for _ in range(150)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    link.close()
    assert len(numbers) == 150
