"""Writes: what verifies the callbacks of organizations' own accounts."""

import structlog
from django.conf import settings
from django.db import transaction

from carillon.contracts.provider_callbacks import CALLBACK_SHAPES, CallbackShape
from carillon.web.errors import ValidationFailed
from gateway.callbacks.account_errors import CallbacksNotSet, NoCallbacks
from gateway.callbacks.accounts import seal_secrets, verifying_secrets
from gateway.callbacks.bodies import AccountCallbacksBody
from gateway.callbacks.models import AccountCallbacks
from gateway.callbacks.registry import make_provider
from gateway.provider_accounts.errors import ProviderAccountNotFound
from gateway.provider_accounts.models import ProviderAccount
from gateway.provider_accounts.sealing import CredentialSealer, Unreadable

log = structlog.get_logger(__name__)


def callback_shape(account: ProviderAccount) -> CallbackShape:
    """What the account's callbacks take. Raises NoCallbacks."""
    shape = CALLBACK_SHAPES.get(account.provider)
    if shape is None:
        raise NoCallbacks
    return shape


def set_callbacks(
    account: ProviderAccount, body: AccountCallbacksBody, sealer: CredentialSealer
) -> AccountCallbacks:
    """In place of what was set before.

    Raises NoCallbacks, ValidationFailed, or ProviderAccountNotFound where it was deleted meanwhile.
    """
    problems = callback_shape(account).problems(body.secrets)
    if problems:
        raise ValidationFailed(details={"secrets": problems})
    with transaction.atomic():
        # Before the row that refers to it: its deletion waits, or is seen.
        locked = ProviderAccount.objects.select_for_update(no_key=True).filter(pk=account.pk)
        if not locked.exists():
            raise ProviderAccountNotFound
        callbacks = AccountCallbacks(
            account=account,
            sealed=seal_secrets(account.pk, account.organization_id, body.secrets, sealer),
            receipts=body.receipts,
        )
        _check_keys(callbacks, sealer)
        callbacks.save()
    log.info("callbacks set", account=account.pk, provider=account.provider)
    return callbacks


def forget_callbacks(account: ProviderAccount) -> None:
    """From then on they are refused. Raises NoCallbacks or CallbacksNotSet."""
    callback_shape(account)
    forgotten, _ = AccountCallbacks.objects.filter(pk=account.pk).delete()
    if not forgotten:
        raise CallbacksNotSet
    log.info("callbacks forgotten", account=account.pk, provider=account.provider)


def _check_keys(callbacks: AccountCallbacks, sealer: CredentialSealer) -> None:
    """What has the form of a key, and is none. Raises ValidationFailed."""
    replay_seconds = settings.GATEWAY.callbacks.replay_seconds
    try:
        secrets = verifying_secrets(callbacks, sealer)
        make_provider(callbacks.account.provider, secrets, replay_seconds)
    except Unreadable:
        raise ValidationFailed(
            details={"secrets": ["The account's credentials have to be sent again first."]}
        ) from None
    except (ValueError, LookupError):
        # Without the cause: its text may quote a secret.
        raise ValidationFailed(details={"secrets": ["This is no key."]}) from None
