"""What a check comes to: verified, refused, not to be told, or a defect of ours."""

from collections.abc import Callable
from typing import NoReturn

import pytest
import structlog

from carillon.contracts.provider import CannotVerify, OutcomeUnknown
from carillon.contracts.verification import (
    CODE_LENGTH,
    MESSAGE_LENGTH,
    UnreadableRequest,
    VerificationStatus,
    decode_request,
    encode_request,
)
from carillon.errors import PermanentFailure, Reason, TemporaryFailure
from carillon.worker.accounts.making import UnusableProvider
from carillon.worker.providers.verifying import account_check
from carillon.worker.tests.accounts.doubles import SECRET, account
from carillon.worker.tests.doubles import RecordingProvider
from carillon.worker.tests.verification.doubles import VerifiableProvider, request_of
from carillon.worker.verification.checking import check


def raising(error: Exception) -> Callable[[], NoReturn]:
    def behave() -> NoReturn:
        raise error

    return behave


def test_an_account_that_works_is_verified() -> None:
    result = check(VerifiableProvider(lambda: "It works."))
    assert (result.status, result.message) == (VerificationStatus.VERIFIED, "It works.")
    assert (result.reason, result.code) == ("", "")


@pytest.mark.parametrize(
    ("failure", "reason", "code"),
    [
        (PermanentFailure("No.", reason=Reason.CONFIGURATION, code="401"), "configuration", "401"),
        (TemporaryFailure("Later.", reason=Reason.TIMED_OUT), "timed_out", ""),
        (TemporaryFailure("Later.", reason=Reason.RATE_LIMITED, code="429"), "rate_limited", "429"),
    ],
)
def test_a_failure_says_why(failure: Exception, reason: str, code: str) -> None:
    result = check(VerifiableProvider(raising(failure)))
    assert result.status is VerificationStatus.FAILED
    assert (result.reason, result.code) == (reason, code)


def test_what_shows_only_in_sending_is_no_failure() -> None:
    for provider in (
        VerifiableProvider(raising(CannotVerify("Only in sending."))),
        RecordingProvider(),
    ):
        result = check(provider)
        assert result.status is VerificationStatus.UNVERIFIABLE
        assert "sending" in result.message


def test_a_defect_of_an_adapter_is_told_without_its_words() -> None:
    with structlog.testing.capture_logs() as logs:
        result = check(VerifiableProvider(raising(ValueError(SECRET))))
    assert (result.status, result.code) == (VerificationStatus.FAILED, "defect")
    assert SECRET not in f"{result} {logs}"
    assert [line["event"] for line in logs] == ["defect while verifying"]


def test_an_account_that_cannot_be_used_is_refused_without_a_call() -> None:
    result = check(UnusableProvider("sendgrid"))
    assert (result.status, result.reason, result.code) == ("failed", "configuration", "account")


def test_what_is_too_long_is_cut() -> None:
    long = PermanentFailure("x" * 1000, reason=Reason.CONFIGURATION, code="y" * 1000)
    result = check(VerifiableProvider(raising(long)))
    assert (len(result.message), len(result.code)) == (MESSAGE_LENGTH, CODE_LENGTH)


def test_a_lost_answer_leaves_nothing_in_doubt() -> None:
    with pytest.raises(TemporaryFailure) as caught, account_check():
        raise OutcomeUnknown("lost", code="504")
    assert (caught.value.reason, caught.value.code) == (Reason.PROVIDER_UNAVAILABLE, "504")


def test_a_refusal_is_the_accounts_whatever_its_code_means_in_sending() -> None:
    with pytest.raises(PermanentFailure) as caught, account_check():
        raise PermanentFailure("no such address", reason=Reason.INVALID_ADDRESS, code="400")
    assert (caught.value.reason, caught.value.code) == (Reason.CONFIGURATION, "400")


def test_no_connection_keeps_its_words() -> None:
    told = TemporaryFailure("No connection to the provider.", reason=Reason.TIMED_OUT)
    with pytest.raises(TemporaryFailure) as caught, account_check():
        raise told
    assert caught.value is told


def test_a_request_holds_no_secret_and_survives_the_way() -> None:
    request = request_of(account())
    octets = encode_request(request)
    assert decode_request(octets) == request
    assert SECRET.encode() not in octets
    newer = octets.replace(b"{", b'{"version":2,', 1)
    for wrong in (b"", b"{}", b"[", b"\xff", newer, b"[" * 50_000):
        with pytest.raises(UnreadableRequest):
            decode_request(wrong)
