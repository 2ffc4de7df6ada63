"""Where a provider reports to, as it is told."""

from django.conf import settings

from carillon.contracts.provider_callbacks import CALLBACK_SHAPES


def callback_url(provider: str, account_id: str) -> str | None:
    """Of an organization's account; None where the provider reports nothing that is verified."""
    if provider not in CALLBACK_SHAPES:
        return None
    return f"{settings.GATEWAY.public_url}/callbacks/{provider}/{account_id}/"
