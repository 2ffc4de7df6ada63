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
