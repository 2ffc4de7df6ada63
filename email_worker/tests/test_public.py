"""A client that names a mail server names none of our network, and none that keeps us for ever."""

import contextlib
import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from carillon.errors import PermanentFailure, Reason, TemporaryFailure
from email_worker.providers.smtp import SMTPProvider
from email_worker.smtp import public
from email_worker.smtp.opening import Server
from email_worker.smtp.session import Session
from email_worker.tests.servers import RawServer
from email_worker.tests.test_verify import SENDER


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104  an address that is refused
        "224.0.0.1",
        "168.63.129.16",
        "::1",
        "::ffff:10.0.0.1",
        "::10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
    ],
)
def test_addresses_inside_are_not_public(address: str) -> None:
    assert not public.is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet_are(address: str) -> None:
    assert public.is_public(address)


@pytest.mark.parametrize("security", ["plain", "starttls", "tls"])
def test_a_server_inside_is_not_even_connected_to(security: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        port = listener.getsockname()[1]
        server = Server("localhost", port, security, timeout=2, public_only=True)
        with pytest.raises(PermanentFailure) as failure:
            Session(server, None)
        assert failure.value.reason is Reason.CONFIGURATION
        with pytest.raises(TimeoutError):
            listener.accept()


def test_what_is_connected_to_is_the_address_that_was_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that has another address a moment later does not lead inside."""
    answers = iter([["10.0.0.1", "203.0.113.7"], ["10.0.0.1"]])

    def look_up(*_args: object, **_options: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", (address, 25)) for address in next(answers)]

    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(public, "is_public", lambda address: address == "203.0.113.7")
    monkeypatch.setattr(socket, "create_connection", lambda where, _timeout: asked.append(where))
    public.connect("mail.example", 25, 1.0)
    assert asked == [("203.0.113.7", 25)]


def test_of_a_name_with_many_addresses_a_few_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [(2, 1, 6, "", (f"203.0.113.{number}", 25)) for number in range(100)]
    tried = itertools.count()

    def silent(_where: object, _timeout: float) -> None:
        next(tried)
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: many)
    monkeypatch.setattr(public, "is_public", lambda _address: True)
    monkeypatch.setattr(socket, "create_connection", silent)
    with pytest.raises(TimeoutError):
        public.connect("mail.example", 25, 1.0)
    assert next(tried) == public.MOST_ADDRESSES


@contextmanager
def saying(pieces: Iterator[bytes], pause: float) -> Iterator[int]:
    """The port of a server that says one piece after the other, until nobody listens."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError), listener.accept()[0] as connection:
            for piece in pieces:
                if stop.wait(pause):
                    return
                connection.sendall(piece)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        stop.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(60)


@pytest.fixture
def public_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers of these tests are on this machine."""
    monkeypatch.setattr(public, "is_public", lambda _address: True)


@pytest.mark.usefixtures("public_loopback")
@pytest.mark.parametrize(
    ("pieces", "pause", "timeout", "reason"),
    [
        (itertools.repeat(b"2"), 0.05, 0.4, Reason.TIMED_OUT),
        (itertools.repeat(b"220-wait\r\n"), 0.05, 0.4, Reason.TIMED_OUT),
        (itertools.repeat(b"220-wait\r\n" * 5_000), 0.0, 60.0, Reason.PROVIDER_UNAVAILABLE),
    ],
    ids=("byte by byte", "line by line", "without an end"),
)
def test_a_server_that_never_ends_its_answer_is_left(
    pieces: Iterator[bytes], pause: float, timeout: float, reason: Reason
) -> None:
    with saying(pieces, pause) as port:
        provider = SMTPProvider(
            Server("127.0.0.1", port, timeout=timeout, public_only=True), SENDER
        )
        # The server goes on until its client leaves.
        with pytest.raises(TemporaryFailure) as caught:
            provider.verify()
        assert caught.value.reason is reason


class Clock:
    """In place of `time`."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.usefixtures("public_loopback")
def test_a_server_that_answers_gets_its_mail_and_the_whole_timeout_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, seconds = Clock(), 30.0
    monkeypatch.setattr(public, "time", clock)
    with RawServer(extensions=("PIPELINING", "8BITMIME")) as server:
        at = Server("127.0.0.1", server.port, timeout=seconds, public_only=True)
        session = Session(at, None)
        for _ in range(3):
            clock.now += seconds * 0.6
            session.check()
        assert session._socket.gettimeout() == seconds
        assert not session.stale
        session.close()
