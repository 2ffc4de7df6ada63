"""The SMTP provider keeps the provider contract, with and without PIPELINING."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from carillon.contracts.provider import OutcomeUnknown
from carillon.errors import PermanentFailure, Reason, TemporaryFailure
from carillon.testing.patience import HASTE, PATIENCE, wait_at_most
from carillon.testing.providers import Case, ProviderContract, Rig
from email_worker.mime import make_sender
from email_worker.providers.smtp import SMTPProvider
from email_worker.smtp.opening import Server
from email_worker.tests.servers import RawServer

# All that comes before the final dot has to be answered in it.
HASTE_AFTER_THE_DOT = 5 * HASTE


class SMTPRig(Rig):
    """The provider, and a server that says whatever it is told to."""

    channel = "email"
    secrets = ("canary-password",)

    def __init__(self, server: RawServer) -> None:
        self.server = server
        self.provider = SMTPProvider(
            Server("127.0.0.1", server.port, timeout=PATIENCE),
            make_sender("Carillon", "notifications@carillon.test"),
            now=lambda: datetime(2026, 1, 2, tzinfo=UTC),
        )

    def accept(self) -> None:
        self.server.turns.clear()
        self.server.hang_up_after.clear()
        wait_at_most(self.provider, PATIENCE)

    @property
    def accepted(self) -> int:
        # The lone dot that ends a refused transaction is no mail (RFC 2920, 3.1).
        return sum(1 for mail in self.server.mails if mail)

    @property
    def connections(self) -> int:
        return self.server.open


def says(word: str, answer: bytes | None) -> Callable[[SMTPRig], None]:
    def arrange(rig: SMTPRig) -> None:
        rig.server.turns[word] = answer
        if answer == b"":
            wait_at_most(rig.provider, HASTE_AFTER_THE_DOT if word == "DOT" else HASTE)

    return arrange


def breaks_off(word: str, answer: bytes) -> Callable[[SMTPRig], None]:
    def arrange(rig: SMTPRig) -> None:
        rig.server.turns[word] = answer
        rig.server.hang_up_after.add(word)

    return arrange


ADDRESS = b"<canary.recipient@canary-domain.example>"


def permanent(name: str, word: str, answer: bytes, reason: Reason) -> Case:
    return Case(name, says(word, answer), PermanentFailure, reason)


def temporary(name: str, word: str, answer: bytes | None, reason: Reason) -> Case:
    return Case(name, says(word, answer), TemporaryFailure, reason)


def unknown(name: str, arrange: Callable[[SMTPRig], None]) -> Case:
    return Case(name, arrange, OutcomeUnknown, Reason.OUTCOME_UNKNOWN)


CASES = (
    Case(
        "unknown recipient",
        says("RCPT", b"550 5.1.1 " + ADDRESS + b": User canary.recipient unknown\r\n"),
        PermanentFailure,
        Reason.INVALID_ADDRESS,
        code="550 5.1.1",
    ),
    permanent("550 without a status", "RCPT", b"550 no such user\r\n", Reason.INVALID_ADDRESS),
    permanent("mailbox full", "RCPT", b"552 5.2.2 over quota\r\n", Reason.BOUNCED),
    permanent("blocked", "DOT", b"550 5.7.1 listed\r\n", Reason.BLOCKED),
    permanent("too large", "DOT", b"552 5.3.4 too big\r\n", Reason.PAYLOAD_TOO_LARGE),
    permanent("bad content", "DOT", b"554 5.6.0 malformed\r\n", Reason.INVALID_CONTENT),
    permanent("login needed", "MAIL", b"530 5.7.0 log in first\r\n", Reason.CONFIGURATION),
    permanent("sender refused", "MAIL", b"550 not you\r\n", Reason.CONFIGURATION),
    permanent("not a mail server", "HELLO", b"554 no SMTP here\r\n", Reason.CONFIGURATION),
    temporary("greylisted", "RCPT", b"451 4.7.1 later, " + ADDRESS + b"\r\n", Reason.OTHER),
    temporary("full recipient", "RCPT", b"452 4.2.2 full\r\n", Reason.OTHER),
    temporary("going down", "MAIL", b"421 4.3.2 bye\r\n", Reason.PROVIDER_UNAVAILABLE),
    temporary("going down late", "DOT", b"421 4.3.2 bye\r\n", Reason.PROVIDER_UNAVAILABLE),
    temporary("busy", "HELLO", b"421 too many\r\n", Reason.PROVIDER_UNAVAILABLE),
    temporary("silent greeting", "HELLO", b"", Reason.TIMED_OUT),
    temporary("no greeting", "HELLO", None, Reason.PROVIDER_UNAVAILABLE),
    temporary("HTTP", "HELLO", b"HTTP/1.1 400 Bad\r\n\r\n", Reason.PROVIDER_UNAVAILABLE),
    permanent("endless line", "HELLO", b"x" * 20_000 + b"\r\n", Reason.CONFIGURATION),
    temporary("hangs up at MAIL", "MAIL", None, Reason.PROVIDER_UNAVAILABLE),
    temporary("silent at MAIL", "MAIL", b"", Reason.TIMED_OUT),
    temporary("hangs up at RCPT", "RCPT", None, Reason.PROVIDER_UNAVAILABLE),
    temporary("garbage at DATA", "DATA", b"\x00\xff what?\r\n", Reason.PROVIDER_UNAVAILABLE),
    temporary("250 to DATA", "DATA", b"250 fine\r\n", Reason.PROVIDER_UNAVAILABLE),
    unknown("hangs up after the dot", says("DOT", None)),
    unknown("silent after the dot", says("DOT", b"")),
    unknown("garbage after the dot", says("DOT", b"what a mail!\r\n")),
    unknown("half an answer", breaks_off("DOT", b"25")),
    unknown("half of a long answer", breaks_off("DOT", b"250-well\r\n250-let me see\r\n")),
)


class TestSMTPContract(ProviderContract):
    """One command at a time."""

    cases = CASES

    @pytest.fixture
    def rig(self) -> Iterator[SMTPRig]:
        with RawServer(extensions=("8BITMIME", "SIZE 10240000")) as server:
            rig = SMTPRig(server)
            yield rig
            rig.provider.close()


class TestPipeliningContract(ProviderContract):
    """MAIL, RCPT and DATA in one packet (RFC 2920)."""

    cases = CASES

    @pytest.fixture
    def rig(self) -> Iterator[SMTPRig]:
        with RawServer(extensions=("PIPELINING", "8BITMIME")) as server:
            rig = SMTPRig(server)
            yield rig
            rig.provider.close()
