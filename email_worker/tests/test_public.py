"""A client that names a mail server names none of our network."""

import socket

import pytest

from carillon.errors import PermanentFailure, Reason
from email_worker.smtp import public
from email_worker.smtp.session import Server, Session


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
