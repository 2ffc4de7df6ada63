"""Reads."""

from django.db.models import QuerySet

from carillon.contracts import ids
from gateway.provider_accounts.errors import ProviderAccountNotFound
from gateway.provider_accounts.models import ProviderAccount


def list_accounts(organization_id: str) -> "QuerySet[ProviderAccount]":
    """An organization's accounts, by channel and in their order."""
    return ProviderAccount.objects.filter(organization_id=organization_id)


def get_account(organization_id: str, account_id: str) -> ProviderAccount:
    """One of them. Raises ProviderAccountNotFound."""
    account = None
    if ids.parse_id(ids.PROVIDER_ACCOUNT, account_id) is not None:
        account = list_accounts(organization_id).filter(pk=account_id).first()
    if account is None:
        raise ProviderAccountNotFound
    return account


def own_providers(organization_id: str, channel: str) -> tuple[str, ...]:
    """The names of the providers of its active accounts, in their order, each once."""
    names = list_active_accounts(organization_id, channel).values_list("provider", flat=True)
    return tuple(dict.fromkeys(names))


def list_active_accounts(organization_id: str, channel: str) -> "QuerySet[ProviderAccount]":
    """Those that messages on this channel are sent through."""
    return list_accounts(organization_id).filter(channel=channel, is_active=True)
