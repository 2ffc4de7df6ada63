"""The two failures that cross the provider boundary, and the reasons that explain them."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a notification was not delivered, in one vocabulary for every provider.

    The provider half follows django-anymail's reject reasons (invalid, bounced, timed_out,
    blocked, spam, unsubscribed, other); the rest are Carillon's own decisions.
    """

    INVALID_ADDRESS = "invalid_address"
    BOUNCED = "bounced"
    BLOCKED = "blocked"
    SPAM = "spam"
    UNSUBSCRIBED = "unsubscribed"
    DEAD_TOKEN = "dead_token"  # noqa: S105  a device token that no longer works
    INVALID_CONTENT = "invalid_content"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    CONFIGURATION = "configuration"
    TIMED_OUT = "timed_out"
    RATE_LIMITED = "rate_limited"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    OTHER = "other"

    USER_OPTED_OUT = "user_opted_out"
    SUPPRESSED = "suppressed"
    QUIET_HOURS = "quiet_hours"
    FREQUENCY_CAPPED = "frequency_capped"
    NO_ADDRESS = "no_address"
    EXPIRED = "expired"
    OUTCOME_UNKNOWN = "outcome_unknown"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    CANCELLED = "cancelled"
    USER_DELETED = "user_deleted"


class DeliveryFailure(Exception):
    """A provider did not accept a message.

    `message` is kept with the attempt and shown to the client: it must hold no secret and no
    address. `code` is the provider's own code (an SMTP reply code, an HTTP status, "21610").
    """

    def __init__(self, message: str, *, reason: Reason, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.code = code


class TemporaryFailure(DeliveryFailure):
    """The same message may be accepted later; `retry_after` is in seconds if the provider said."""

    def __init__(
        self,
        message: str,
        *,
        reason: Reason = Reason.PROVIDER_UNAVAILABLE,
        code: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, reason=reason, code=code)
        self.retry_after = retry_after


class PermanentFailure(DeliveryFailure):
    """The same message will never be accepted; trying again is useless or harmful."""
