"""What the calls that change a notification may refuse, for the documentation."""

from carillon.web.errors import ApiError, InvalidJSON, PayloadTooLarge, ValidationFailed
from gateway.notifications.change_errors import (
    ContentCleared,
    LiveKeyRequired,
    NotificationBusy,
    NotificationExpired,
    NotRetryable,
)
from gateway.notifications.errors import UserServiceUnavailable

# Of calls that take no body and are sent one.
NO_FIELDS: tuple[ApiError, ...] = (
    InvalidJSON("The body is not acceptable JSON: Expecting value at line 1 column 1."),
    ValidationFailed(details={"reason": ["This call takes no fields."]}),
    PayloadTooLarge("The body may have 1000000 bytes at most."),
)

CHANGING: tuple[ApiError, ...] = (LiveKeyRequired(), NotificationBusy())
SENDING_AGAIN: tuple[ApiError, ...] = (
    *CHANGING,
    NotRetryable("delivered"),
    NotificationExpired(),
    ContentCleared(),
    UserServiceUnavailable(),
)
