"""What the API shows of an account's callbacks."""

from datetime import datetime

import msgspec


class AccountCallbacksShape(msgspec.Struct, frozen=True, kw_only=True):
    """Where a provider reports to, and what is known of what verifies it.

    `secrets` has the last 4 characters of each secret that is long enough for that, and what is no
    secret in full; null where it cannot be read any more and has to be sent again.
    """

    provider_account_id: str
    callback_url: str
    secrets: dict[str, str] | None
    receipts: bool
    updated_at: datetime


class ForgottenShape(msgspec.Struct, frozen=True):
    """The account whose callbacks are refused from now on."""

    provider_account_id: str
