"""Refusals about keys."""

from carillon.web.errors import ApiError, Conflict


class APIKeyNotFound(ApiError):
    """No such key of this organization."""

    status = 404
    code = "api_key_not_found"
    message = "There is no such API key."


class TooManyKeys(Conflict):
    """The organization has as many active keys as it may."""

    code = "too_many_api_keys"


class APIKeyNotRotatable(Conflict):
    """It is being rotated already, has expired or was deactivated."""

    code = "api_key_not_rotatable"


class LiveKeyNeeded(ApiError):
    """A test key may not decide about live ones."""

    status = 403
    code = "live_key_required"
    message = "This is a live key: a test key cannot change it."


class RegistrationDisabled(ApiError):
    """ALLOW_REGISTRATION is off."""

    status = 403
    code = "registration_disabled"
    message = "This installation takes no registrations; its operator creates organizations."
