"""Refusals of a change to a notification that is stored."""

from typing import ClassVar

from carillon.web.errors import ApiError


class NotificationBusy(ApiError):
    """The relay, an event or another request has held its row for too long."""

    status = 409
    code = "notification_busy"
    message = "The notification is being handed over or changed at this moment. Try again."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class LiveKeyRequired(ApiError):
    """A test key may not touch what is real."""

    status = 403
    code = "live_key_required"
    message = "This notification was made with a live key: a test key cannot change it."


class ContentCleared(ApiError):
    """Retention has deleted what was to be said."""

    status = 409
    code = "content_cleared"
    message = "The content and the address were cleared after the retention period."


class NotificationExpired(ApiError):
    """Its `expires_at` has passed."""

    status = 409
    code = "notification_expired"
    message = "The notification's expires_at has passed."


class _WrongStatus(ApiError):
    """The notification's status does not allow the change; `details` name it."""

    status = 409
    what: ClassVar[str]

    def __init__(self, found: str) -> None:
        super().__init__(
            f"The notification is {found}: {self.what}.", details={"status": [f"It is {found}."]}
        )


class NotCancellable(_WrongStatus):
    """It was handed over, or has ended."""

    code = "not_cancellable"
    what = "only what is scheduled, accepted or retrying can be cancelled"


class NotRetryable(_WrongStatus):
    """It has not ended in failure."""

    code = "not_retryable"
    what = "only what failed or bounced can be sent again"


class NotDeletable(_WrongStatus):
    """It has not ended."""

    code = "not_deletable"
    what = "only what has ended can be deleted"


class NotChangeable(_WrongStatus):
    """It was handed over, or has ended."""

    code = "not_changeable"
    what = "only what is scheduled or accepted can be changed"
