"""SMTP replies in our words."""

import pytest

from carillon.errors import PermanentFailure, Reason, TemporaryFailure
from email_worker.smtp.replies import Reply, Stage, failure_of


@pytest.mark.parametrize(
    ("stage", "code", "text", "reason"),
    [
        (Stage.RECIPIENT, 550, "5.1.1 no such user", Reason.INVALID_ADDRESS),
        (Stage.RECIPIENT, 550, "5.1.10 null MX", Reason.INVALID_ADDRESS),
        (Stage.RECIPIENT, 550, "no such user", Reason.INVALID_ADDRESS),
        (Stage.RECIPIENT, 553, "bad mailbox name", Reason.INVALID_ADDRESS),
        (Stage.RECIPIENT, 501, "syntax", Reason.INVALID_ADDRESS),
        (Stage.RECIPIENT, 550, "5.2.1 disabled", Reason.INVALID_ADDRESS),
        (Stage.RECIPIENT, 550, "5.4.1 Recipient address rejected", Reason.INVALID_ADDRESS),
        (Stage.RECIPIENT, 552, "5.2.2 full", Reason.BOUNCED),
        (Stage.RECIPIENT, 552, "full", Reason.BOUNCED),
        (Stage.RECIPIENT, 550, "5.7.1 relaying denied", Reason.BLOCKED),
        (Stage.RECIPIENT, 554, "5.7.1 blocked using a list", Reason.BLOCKED),
        (Stage.DATA, 552, "5.3.4 too large", Reason.PAYLOAD_TOO_LARGE),
        (Stage.DATA, 552, "too large", Reason.PAYLOAD_TOO_LARGE),
        (Stage.SENDER, 552, "5.3.4 too large", Reason.PAYLOAD_TOO_LARGE),
        (Stage.DATA, 554, "5.6.0 bad", Reason.INVALID_CONTENT),
        (Stage.DATA, 554, "5.7.26 unauthenticated", Reason.BLOCKED),
        (Stage.DATA, 554, "transaction failed", Reason.OTHER),
        (Stage.SENDER, 530, "5.7.0 authentication required", Reason.CONFIGURATION),
        (Stage.SENDER, 550, "5.1.8 bad sender", Reason.CONFIGURATION),
        (Stage.SENDER, 553, "sender not owned", Reason.CONFIGURATION),
        (Stage.CONNECT, 535, "5.7.8 bad credentials", Reason.CONFIGURATION),
        (Stage.CONNECT, 554, "no", Reason.CONFIGURATION),
    ],
)
def test_permanent(stage: Stage, code: int, text: str, reason: Reason) -> None:
    failure = failure_of(Reply(code, text), stage)
    assert isinstance(failure, PermanentFailure)
    assert failure.reason is reason


@pytest.mark.parametrize(
    ("stage", "code", "text", "reason"),
    [
        (Stage.RECIPIENT, 450, "4.7.1 greylisted", Reason.OTHER),
        (Stage.RECIPIENT, 451, "local error", Reason.OTHER),
        (Stage.RECIPIENT, 452, "4.3.1 system full", Reason.PROVIDER_UNAVAILABLE),
        (Stage.RECIPIENT, 421, "bye", Reason.PROVIDER_UNAVAILABLE),
        (Stage.SENDER, 451, "later", Reason.PROVIDER_UNAVAILABLE),
        (Stage.CONNECT, 454, "4.7.0 TLS not available", Reason.PROVIDER_UNAVAILABLE),
        (Stage.DATA, 250, "what?", Reason.PROVIDER_UNAVAILABLE),
        (Stage.DATA, -1, "garbage", Reason.PROVIDER_UNAVAILABLE),
    ],
)
def test_temporary(stage: Stage, code: int, text: str, reason: Reason) -> None:
    failure = failure_of(Reply(code, text), stage)
    assert isinstance(failure, TemporaryFailure)
    assert failure.reason is reason


def test_the_code_has_both_halves() -> None:
    assert failure_of(Reply(550, "5.1.1 no"), Stage.RECIPIENT).code == "550 5.1.1"
    assert failure_of(Reply(550, "no"), Stage.RECIPIENT).code == "550"


def test_the_text_is_told_without_the_recipient() -> None:
    reply = Reply(550, "5.1.1 <Ada.Byron@example.com>: no mailbox ada.byron here.\nGo away")
    failure = failure_of(reply, Stage.RECIPIENT, hide=("ada.byron@example.com",))
    assert failure.message == (
        "The mail server refused the recipient: 5.1.1 <***>: no mailbox *** here. Go away."
    )


def test_a_refused_login_is_told_without_the_servers_words() -> None:
    reply = Reply(535, "5.7.8 user carillon unknown")
    failure = failure_of(reply, Stage.CONNECT)
    assert failure.message == "The mail server did not let us in."
