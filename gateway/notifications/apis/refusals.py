"""What the calls that change a notification may refuse, for the documentation."""

from carillon.web.errors import ApiError, ValidationFailed
from gateway.notifications.change_errors import (
    ContentCleared,
    LiveKeyRequired,
    NotificationBusy,
    NotificationExpired,
    NotRetryable,
)
from gateway.notifications.errors import UserServiceUnavailable

NO_FIELDS = ValidationFailed(details={"reason": ["This call takes no fields."]})

CHANGING: tuple[ApiError, ...] = (LiveKeyRequired(), NotificationBusy())
SENDING_AGAIN: tuple[ApiError, ...] = (
    *CHANGING,
    NotRetryable("delivered"),
    NotificationExpired(),
    ContentCleared(),
    UserServiceUnavailable(),
)
