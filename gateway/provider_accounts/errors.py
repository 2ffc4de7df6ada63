"""Refusals about provider accounts."""

from carillon.web.errors import ApiError, Conflict

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
