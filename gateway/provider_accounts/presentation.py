"""Turns stored accounts into what the API shows: never a secret."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from carillon.contracts.provider_accounts import ACCOUNT_SHAPES, Field
from carillon.contracts.verification import VerificationStatus
from gateway.callbacks.addresses import callback_url
from gateway.provider_accounts.models import ProviderAccount
from gateway.provider_accounts.sealing import CredentialSealer, Unreadable
from gateway.provider_accounts.selectors import is_unanswered
from gateway.provider_accounts.shapes import ProviderAccountShape, VerificationShape

# Of a shorter secret, four characters would be too much of it.
LEAST_SHOWN = 20
HIDDEN = "…"
NO_ANSWER = "no_answer"


def show_account(account: ProviderAccount, sealer: CredentialSealer) -> ProviderAccountShape:
    """Without its secrets."""
    return ProviderAccountShape(
        provider_account_id=account.pk,
        channel=account.channel,
        provider=account.provider,
        name=account.name,
        sender=account.sender,
        credentials=_hints(account, sealer),
        position=account.position,
        weight=account.weight,
        rate_per_second=account.rate_per_second,
        is_active=account.is_active,
        verification=show_verification(account, datetime.now(UTC)),
        callback_url=callback_url(account.provider, account.pk),
        created_at=account.created_at,
        updated_at=account.updated_at,
    )


def show_verification(account: ProviderAccount, now: datetime) -> VerificationShape:
    """What is known of its credentials; a check that was not answered in time has failed."""
    if is_unanswered(account, now):
        return VerificationShape(
            status=VerificationStatus.FAILED,
            reason=NO_ANSWER,
            code=None,
            message=f"No worker of the channel {account.channel} answered in time. Nothing is "
            "known of the account; try again.",
            requested_at=account.verification_requested_at,
            checked_at=None,
        )
    known = account.verification_status != VerificationStatus.UNVERIFIED
    return VerificationShape(
        status=VerificationStatus(account.verification_status),
        reason=account.verification_reason or None,
        code=account.verification_code or None,
        message=account.verification_message or None,
        requested_at=account.verification_requested_at if known else None,
        checked_at=account.verification_checked_at,
    )


def _hints(account: ProviderAccount, sealer: CredentialSealer) -> dict[str, str] | None:
    try:
        credentials = sealer.unseal(account.pk, account.organization_id, bytes(account.sealed))
    except Unreadable:
        return None
    shape = ACCOUNT_SHAPES.get(account.channel, {}).get(account.provider)
    return show_hints(credentials, shape.credentials if shape else ())


def show_hints(values: Mapping[str, str], fields: Iterable[Field]) -> dict[str, str]:
    """The values, and of what is secret, or of no known field, a hint."""
    public = {field.name for field in fields if not field.secret}
    return {name: value if name in public else _hint_of(value) for name, value in values.items()}


def _hint_of(secret: str) -> str:
    """The last letters of a secret that is long enough for that."""
    # The last letters of a URL, a key file or a PEM say nothing.
    telling = (
        secret.isalnum() or secret.replace("-", "").replace("_", "").replace(".", "").isalnum()
    )
    return HIDDEN + secret[-4:] if telling and len(secret) >= LEAST_SHOWN else HIDDEN
