"""What the calls of a `verify` have in common: nothing is sent, so that nothing is in doubt."""

from collections.abc import Iterator
from contextlib import contextmanager

from carillon.contracts.provider import OutcomeUnknown
from carillon.errors import PermanentFailure, Reason, TemporaryFailure


@contextmanager
def account_check() -> Iterator[None]:
    """Around a call that sends nothing: its failures become those of a `verify`.

    An answer that was lost leaves no message in doubt: it can be asked again. A refusal is about
    the account, whatever it would be about in sending; its code stays.
    """
    try:
        yield
    except OutcomeUnknown as lost:
        raise unanswered(lost.code) from None
    except TemporaryFailure as failure:
        if not failure.code:
            # There was no connection, and it says so.
            raise
        raise TemporaryFailure(
            "The provider cannot check the account now.",
            reason=failure.reason,
            code=failure.code,
            retry_after=failure.retry_after,
        ) from None
    except PermanentFailure as refusal:
        raise refused(
            "The provider refuses the account's credentials or settings.", refusal.code
        ) from None


def unanswered(code: str = "") -> TemporaryFailure:
    """Nothing was said of the account."""
    return TemporaryFailure(
        "The provider gave no answer that can be understood, or none in time.",
        reason=Reason.PROVIDER_UNAVAILABLE,
        code=code,
    )


def refused(message: str, code: str = "") -> PermanentFailure:
    """The account does not work as it is; `message` says why, without its secrets."""
    return PermanentFailure(message, reason=Reason.CONFIGURATION, code=code)
