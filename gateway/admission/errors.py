"""Refusals at the door."""

import math

from carillon.web.errors import ApiError


class InvalidAPIKey(ApiError):
    """Unknown, deactivated or expired; the answer does not say which."""

    status = 401
    code = "invalid_api_key"
    message = "This API key is not valid."

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "X-API-Key"})


class OrganizationInactive(ApiError):
    """The key is good, its organization is switched off."""

    status = 403
    code = "organization_inactive"
    message = "Your organization is not active."


class OrganizationMismatch(ApiError):
    """X-Organization-ID names another organization than the key's."""

    status = 403
    code = "organization_mismatch"
    message = "X-Organization-ID is not your key's organization; leave the header out."


class InsufficientScope(ApiError):
    """The key may not be used for this call."""

    status = 403
    code = "insufficient_scope"

    def __init__(self, *needed: str) -> None:
        super().__init__(f"This call needs a key with the scope {' or '.join(needed)}.")


class RateLimitExceeded(ApiError):
    """Too many requests; `wait` is in seconds."""

    status = 429
    code = "rate_limit_exceeded"

    def __init__(self, message: str, wait: float) -> None:
        seconds = max(1, math.ceil(wait))
        super().__init__(
            f"{message} Try again in {seconds} seconds.", headers={"Retry-After": str(seconds)}
        )


class QuotaExceeded(ApiError):
    """The organization's notifications of this month are used up; `wait` is in seconds."""

    status = 429
    code = "quota_exceeded"

    def __init__(self, quota: int, wait: float) -> None:
        super().__init__(
            f"The monthly quota of {quota} notifications is used up.",
            headers={"Retry-After": str(max(1, math.ceil(wait)))},
        )


class RequestInProgress(ApiError):
    """The first request with this id has not been answered yet."""

    status = 409
    code = "request_in_progress"
    message = "A request with this request_id is being processed."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class RequestIDConflict(ApiError):
    """The request_id was used for something else."""

    status = 422
    code = "request_id_conflict"
    message = "This request_id was used before with another body or kind of key."
