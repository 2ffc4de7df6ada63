"""Turns stored accounts into what the API shows: never a secret."""

from carillon.contracts.provider_accounts import ACCOUNT_SHAPES
from gateway.provider_accounts.models import ProviderAccount
from gateway.provider_accounts.sealing import CredentialSealer, Unreadable
from gateway.provider_accounts.shapes import ProviderAccountShape

# Of a shorter secret, four characters would be too much of it.
LEAST_SHOWN = 20
HIDDEN = "…"


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
        created_at=account.created_at,
        updated_at=account.updated_at,
    )


def _hints(account: ProviderAccount, sealer: CredentialSealer) -> dict[str, str] | None:
    try:
        credentials = sealer.unseal(account.pk, account.organization_id, bytes(account.sealed))
    except Unreadable:
        return None
    shape = ACCOUNT_SHAPES.get(account.channel, {}).get(account.provider)
    public = {field.name for field in shape.credentials if not field.secret} if shape else set()
    return {name: value if name in public else _hint(value) for name, value in credentials.items()}


def _hint(secret: str) -> str:
    # The last letters of a URL, a key file or a PEM say nothing.
    telling = (
        secret.isalnum() or secret.replace("-", "").replace("_", "").replace(".", "").isalnum()
    )
    return HIDDEN + secret[-4:] if telling and len(secret) >= LEAST_SHOWN else HIDDEN
