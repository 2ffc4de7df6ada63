"""Refusals of the calls that set how an account's callbacks are verified."""

from carillon.web.errors import ApiError, Conflict


class NoCallbacks(Conflict):
    """The account's provider reports nothing."""

    code = "no_callbacks"
    message = "This provider reports nothing that could be verified: there is nothing to set."


class CallbacksNotSet(ApiError):
    """Nothing verifies this account's callbacks."""

    status = 404
    code = "callbacks_not_set"
    message = "Callbacks are not set for this provider account."
