"""The contract of `verify`: what every provider keeps that tests an account without sending.

A provider's test module subclasses `VerifyContract`, with the rig of its `ProviderContract`.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import structlog

from carillon.contracts.provider import CannotVerify, Verifiable
from carillon.contracts.verification import CODE_LENGTH, MESSAGE_LENGTH
from carillon.errors import DeliveryFailure, PermanentFailure, Reason, TemporaryFailure
from carillon.testing.http_double import HTTPRig, Raw, Reply, says
from carillon.testing.providers import Rig, close_for_good, leaks


@dataclass(frozen=True, slots=True)
class Check:
    """One way in which a server does not let an account in, and what must come of it."""

    name: str
    arrange: Callable[[Any], None]
    failure: type[PermanentFailure | TemporaryFailure | CannotVerify]
    reason: Reason | None = None
    code: str | None = None


class VerifyContract:
    """Subclass it as `TestSomethingVerifies`."""

    checks: ClassVar[Sequence[Check]] = ()

    def lets_in(self, rig: Any) -> None:
        """The server accepts the account from now on."""
        rig.accept()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each check."""
        if "check" in metafunc.fixturenames:
            metafunc.parametrize("check", self.checks, ids=[check.name for check in self.checks])

    def test_there_are_checks_for_a_refusal_and_for_trouble(self) -> None:
        refusals = [check for check in self.checks if check.failure is PermanentFailure]
        assert refusals
        assert all(check.reason is Reason.CONFIGURATION for check in refusals)
        assert TemporaryFailure in {check.failure for check in self.checks}

    def test_an_account_that_works_is_verified_and_nothing_is_sent(self, rig: Rig) -> None:
        self.lets_in(rig)
        check_sentence(verify(rig))
        check_sentence(verify(rig))
        assert rig.accepted == 0

    def test_what_keeps_it_out_is_told_in_our_words(self, rig: Rig, check: Check) -> None:
        check.arrange(rig)
        with pytest.raises((DeliveryFailure, CannotVerify)) as caught:
            verify(rig)
        failure: Any = caught.value
        assert type(failure) is check.failure
        check_sentence(failure.message)
        assert getattr(failure, "reason", None) is check.reason
        assert check.code is None or getattr(failure, "code", None) == check.code
        assert len(getattr(failure, "code", "")) <= CODE_LENGTH
        assert rig.accepted == 0

    def test_it_verifies_again_afterwards(self, rig: Rig, check: Check) -> None:
        check.arrange(rig)
        with pytest.raises((DeliveryFailure, CannotVerify)):
            verify(rig)
        self.lets_in(rig)
        check_sentence(verify(rig))

    def test_nothing_that_is_said_repeats_a_secret(
        self,
        rig: Rig,
        check: Check,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level("DEBUG")
        with structlog.testing.capture_logs() as logs:
            check.arrange(rig)
            with pytest.raises((DeliveryFailure, CannotVerify)) as caught:
                verify(rig)
            self.lets_in(rig)
            shown = verify(rig)
        failure: Any = caught.value
        code = getattr(failure, "code", "")
        said = f"{shown} {failure} {failure!r} {failure.message} {code}"
        printed = capfd.readouterr()
        assert leaks(f"{said} {logs} {caplog.text} {printed.out} {printed.err}", rig) == []

    def test_closing_afterwards_leaves_nothing_behind(self, rig: Rig) -> None:
        self.lets_in(rig)
        threads = threading.active_count()
        verify(rig)
        close_for_good(rig, threads)


def verify(rig: Rig) -> str:
    """Raises what `verify` raises."""
    assert isinstance(rig.provider, Verifiable)
    return rig.provider.verify()


def check_sentence(text: str) -> None:
    """One that is stored whole and can be shown to people."""
    assert text.isprintable()
    assert text.endswith(".")
    assert 10 < len(text) <= MESSAGE_LENGTH


def refused(name: str, arrange: Callable[[Any], None], code: str | None = None) -> Check:
    """The account is kept out."""
    return Check(name, arrange, PermanentFailure, Reason.CONFIGURATION, code)


def trouble(
    name: str,
    arrange: Callable[[Any], None],
    reason: Reason = Reason.PROVIDER_UNAVAILABLE,
    code: str | None = None,
) -> Check:
    """The provider could not be asked."""
    return Check(name, arrange, TemporaryFailure, reason, code)


class HTTPVerifyContract(VerifyContract):
    """For a provider whose check is one call over HTTP, which `accepts` lets in."""

    accepts: ClassVar[Reply]

    def lets_in(self, rig: HTTPRig) -> None:
        """See above."""
        rig.answers(self.accepts)


_HTML = b"<html><body>canary.recipient@canary-domain.example +447700900987</body></html>"


def http_troubles() -> tuple[Check, ...]:
    """What any HTTP server may do in place of an answer."""
    limited = Reason.RATE_LIMITED
    return (
        trouble("silent", says(Raw(then_silence=True))),
        trouble("hangs up", says(Raw())),
        trouble("half a status line", says(Raw(b"HTTP/1.1 2"))),
        trouble("in trouble", says(Reply(500, body=_HTML)), code="500"),
        trouble("gateway lost it", says(Reply(504, body=_HTML)), code="504"),
        trouble("back later", says(Reply(503, headers={"Retry-After": "60"})), code="503"),
        trouble("slow down", says(Reply(429, headers={"Retry-After": "7"})), limited, "429"),
        trouble("accepts in HTML", says(Reply(200, body=_HTML))),
        trouble("accepts with nothing", says(Reply(200))),
        refused("redirects", says(Reply(302, headers={"Location": "/"})), "302"),
        refused("nothing there", says(Reply(404, body=_HTML)), "404"),
        refused("refused, body unreadable", says(Reply(403, body=b"\xff{")), "403"),
    )
