"""Refusals of a notification."""

from collections.abc import Sequence

from carillon.web.errors import ApiError, ServiceUnavailable


class TemplateNotFound(ApiError):
    """No published template of that code."""

    status = 404
    code = "template_not_found"

    def __init__(self, code: str) -> None:
        super().__init__(f"There is no published template {code!r}.")


class TemplateTypeMismatch(ApiError):
    """The template is for another channel."""

    status = 400
    code = "template_type_mismatch"

    def __init__(self, template_type: str, wanted: str) -> None:
        super().__init__(
            f"The template is of type {template_type!r}, notification_type is {wanted!r}."
        )


class MissingVariables(ApiError):
    """The template requires variables that were not given; `details` names them."""

    status = 400
    code = "missing_variables"

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"Missing variables: {', '.join(names)}.",
            details={name: ["The template requires this variable."] for name in names},
        )


class UserNotFound(ApiError):
    """No such user of this organization."""

    status = 404
    code = "user_not_found"

    def __init__(self, user_id: str) -> None:
        super().__init__(f"There is no user {user_id!r}.")


class NoAddress(ApiError):
    """The user cannot be reached on the channel."""

    status = 400
    code = "no_address"

    def __init__(self, what: str) -> None:
        super().__init__(f"The user has no {what}.")


class NotificationNotFound(ApiError):
    """No such notification of this organization."""

    status = 404
    code = "notification_not_found"
    message = "There is no such notification."


class UserServiceUnavailable(ServiceUnavailable):
    """The user service did not answer, and the cache did not help."""

    code = "user_service_unavailable"
    message = "The user service is unavailable. Try again shortly."


class TemplateServiceUnavailable(ServiceUnavailable):
    """The template service did not answer, and the cache did not help."""

    code = "template_service_unavailable"
    message = "The template service is unavailable. Try again shortly."
