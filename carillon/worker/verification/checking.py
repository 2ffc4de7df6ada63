"""One check: the provider is asked, and what it comes to is put into words."""

import traceback

import structlog

from carillon.contracts.provider import CannotVerify, Provider, Verifiable
from carillon.contracts.verification import (
    CODE_LENGTH,
    MESSAGE_LENGTH,
    VerificationResult,
    VerificationStatus,
)
from carillon.errors import DeliveryFailure, Reason

log = structlog.get_logger(__name__)

DEFECT_CODE = "defect"


def check(provider: Provider) -> VerificationResult:
    """Never fails: a defect of ours is a result too, so that nobody waits for nothing."""
    if not isinstance(provider, Verifiable):
        return _unverifiable("This provider's accounts cannot be verified without sending.")
    try:
        shown = provider.verify()
    except CannotVerify as cause:
        return _unverifiable(cause.message)
    except DeliveryFailure as failure:
        return failed(failure.message, failure.reason, failure.code)
    except Exception as defect:  # noqa: BLE001  a provider's bug must not leave the owner waiting
        return after_defect(defect, provider.name)
    return VerificationResult(status=VerificationStatus.VERIFIED, message=shown[:MESSAGE_LENGTH])


def failed(message: str, reason: Reason, code: str = "") -> VerificationResult:
    """The account was refused, or the provider could not be asked."""
    return VerificationResult(
        status=VerificationStatus.FAILED,
        message=message[:MESSAGE_LENGTH],
        reason=reason.value,
        code=code[:CODE_LENGTH],
    )


def after_defect(defect: Exception, provider: str) -> VerificationResult:
    """A bug of ours; where, but not what: an exception's own text may quote a secret."""
    log.error(
        "defect while verifying",
        provider=provider,
        error=type(defect).__name__,
        where="".join(traceback.format_tb(defect.__traceback__)),
    )
    return failed(
        f"The provider's adapter failed unexpectedly ({type(defect).__name__}).",
        Reason.OTHER,
        DEFECT_CODE,
    )


def _unverifiable(message: str) -> VerificationResult:
    return VerificationResult(
        status=VerificationStatus.UNVERIFIABLE, message=message[:MESSAGE_LENGTH]
    )
