"""Refusals about provider accounts."""

from carillon.web.errors import ApiError, Conflict, ServiceUnavailable

ACCOUNTS_MOST = 50


class ProviderAccountNotFound(ApiError):
    """No such account of this organization."""

    status = 404
    code = "provider_account_not_found"
    message = "There is no such provider account."


class TooManyProviderAccounts(Conflict):
    """The organization has as many as it may."""

    code = "too_many_provider_accounts"
    message = f"An organization has at most {ACCOUNTS_MOST} provider accounts."


class LiveKeyNeeded(ApiError):
    """A test key may not decide how real messages are sent."""

    status = 403
    code = "live_key_required"
    message = "Provider accounts carry real messages: a test key cannot change them."


class VerificationUnavailable(ServiceUnavailable):
    """The request to verify could not be handed over; the account is as it was."""

    message = (
        "The check cannot be handed to a worker at this moment. Nothing was changed; try again."
    )


class VerificationNotFound(ApiError):
    """No check of this id is waited for: it was answered, or the credentials have changed."""

    status = 404
    code = "verification_not_found"
    message = "No such check is waited for any more."
