"""Reads."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from carillon.contracts import ids
from carillon.contracts.verification import ANSWER_SECONDS, VerificationStatus
from gateway.provider_accounts.errors import ProviderAccountNotFound, VerificationNotFound
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
    accounts = list_accounts(organization_id).select_related("callbacks")
    return accounts.filter(channel=channel, is_active=True)


def is_waiting(account: ProviderAccount, now: datetime) -> bool:
    """Whether a check of it was asked for, and may still be answered."""
    return _is_pending(account) and not is_unanswered(account, now)


def is_unanswered(account: ProviderAccount, now: datetime) -> bool:
    """Whether a check of it was asked for, and nobody has answered in time."""
    asked = account.verification_requested_at
    late = asked is None or now - asked >= timedelta(seconds=ANSWER_SECONDS)
    return _is_pending(account) and late


def get_account_to_verify(
    organization_id: str, account_id: str, verification_id: UUID, now: datetime
) -> ProviderAccount:
    """The account that this check is about, while it is waited for; active or not.

    Raises ProviderAccountNotFound or VerificationNotFound.
    """
    account = get_account(organization_id, account_id)
    if account.verification_id != verification_id or not is_waiting(account, now):
        raise VerificationNotFound
    return account


def _is_pending(account: ProviderAccount) -> bool:
    return account.verification_status == VerificationStatus.PENDING
