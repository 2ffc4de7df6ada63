"""What the API shows of a provider account."""

from datetime import datetime

import msgspec

from carillon.contracts.verification import VerificationStatus


class VerificationShape(msgspec.Struct, frozen=True, kw_only=True):
    """What the last check of the credentials showed.

    `reason` is set where it failed: `configuration` says that the provider refuses the account,
    `no_answer` that no worker told in time, the others that the provider could not be asked.
    `code` is the provider's own, if it gave one.
    """

    status: VerificationStatus
    reason: str | None
    code: str | None
    message: str | None
    requested_at: datetime | None
    checked_at: datetime | None


class ProviderAccountShape(msgspec.Struct, frozen=True, kw_only=True):
    """An account without its secrets.

    `credentials` has the last 4 characters of each secret that is long enough for that, and what
    is no secret in full; null where it cannot be read any more and has to be sent again.
    `callback_url` is where the provider is to report to; null where it reports nothing that could
    be verified.
    """

    provider_account_id: str
    channel: str
    provider: str
    name: str
    sender: str
    credentials: dict[str, str] | None
    position: int
    weight: int
    rate_per_second: float | None
    is_active: bool
    verification: VerificationShape
    callback_url: str | None
    created_at: datetime
    updated_at: datetime


class DeletedShape(msgspec.Struct, frozen=True):
    """The account that is gone."""

    provider_account_id: str
