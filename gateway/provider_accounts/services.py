"""Writes: accounts, checked against what their provider asks for, and sealed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog
from django.db import transaction
from msgspec import UNSET, UnsetType

from carillon.contracts.provider_accounts import ACCOUNT_SHAPES, AccountShape
from carillon.web.errors import ValidationFailed
from gateway.callbacks.models import AccountCallbacks
from gateway.organizations.models import Organization
from gateway.provider_accounts.bodies import ProviderAccountBody, ProviderAccountChanges
from gateway.provider_accounts.errors import (
    ACCOUNTS_MOST,
    ProviderAccountNotFound,
    TooManyProviderAccounts,
)
from gateway.provider_accounts.models import ProviderAccount
from gateway.provider_accounts.sealing import CredentialSealer, Unreadable
from gateway.provider_accounts.selectors import list_accounts
from gateway.provider_accounts.verification import forget_verification

log = structlog.get_logger(__name__)

ROTATED_AT_ONCE = 200


def create_account(
    organization_id: str, body: ProviderAccountBody, sealer: CredentialSealer
) -> ProviderAccount:
    """Raises ValidationFailed or TooManyProviderAccounts."""
    shape = _shape_of(body.channel, body.provider)
    _check(shape, body.name, body.sender, body.credentials)
    with transaction.atomic():
        # Two at once would both find room for one more.
        Organization.objects.select_for_update(no_key=True).get(pk=organization_id)
        if list_accounts(organization_id).count() >= ACCOUNTS_MOST:
            raise TooManyProviderAccounts
        account = ProviderAccount(
            organization_id=organization_id,
            channel=body.channel,
            provider=body.provider,
            name=body.name,
            sender=body.sender,
            position=body.position,
            weight=body.weight,
            rate_per_second=body.rate_per_second,
            is_active=body.is_active,
        )
        account.sealed = sealer.seal(account.pk, organization_id, body.credentials)
        account.save(force_insert=True)
    log.info("provider account created", account=account.pk, provider=account.provider)
    return account


def change_account(
    account: ProviderAccount, changes: ProviderAccountChanges, sealer: CredentialSealer
) -> ProviderAccount:
    """Raises ValidationFailed, or ProviderAccountNotFound where it was deleted meanwhile."""
    shape = _shape_of(account.channel, account.provider)
    sent = {
        name: getattr(changes, name)
        for name in changes.__struct_fields__
        if getattr(changes, name) is not UNSET
    }
    credentials = changes.credentials
    _check(
        shape,
        sent.get("name", account.name),
        sent.get("sender", account.sender),
        None if isinstance(credentials, UnsetType) else credentials,
    )
    with transaction.atomic():
        locked = (
            list_accounts(account.organization_id)
            .select_for_update(no_key=True)
            .filter(pk=account.pk)
            .first()
        )
        if locked is None:
            raise ProviderAccountNotFound
        if not isinstance(credentials, UnsetType) or sent.get("sender", locked.sender) != (
            locked.sender
        ):
            forget_verification(locked)
        if not isinstance(credentials, UnsetType):
            locked.sealed = sealer.seal(locked.pk, locked.organization_id, credentials)
            del sent["credentials"]
        for name, value in sent.items():
            setattr(locked, name, value)
        locked.save()
    log.info("provider account changed", account=account.pk, provider=account.provider)
    return locked


def delete_account(account: ProviderAccount) -> None:
    """Its credentials are gone with it."""
    account_id = account.pk
    account.delete()
    log.info("provider account deleted", account=account_id, provider=account.provider)


@dataclass(slots=True)
class Rotation:
    """How many accounts were looked at, and what came of it."""

    renewed: int = 0
    newest: int = 0
    unreadable: int = 0

    @property
    def total(self) -> int:
        """All that were looked at."""
        return self.renewed + self.newest + self.unreadable


def rotate_credentials(
    sealer: CredentialSealer, *, dry_run: bool, progress: Callable[[Rotation], None]
) -> Rotation:
    """Seal all accounts with the first key; safe to repeat, and beside a gateway at work.

    So is what verifies their callbacks, which is counted as another account. `progress` is told
    after each batch. What none of the keys opens stays as it is.
    """
    rotation = Rotation()
    for kind in (ProviderAccount, AccountCallbacks):
        for batch in _batches(kind):
            with transaction.atomic():
                for row in kind.objects.select_for_update(no_key=True).filter(pk__in=batch):
                    _rotate(row, sealer, rotation, dry_run=dry_run)
            progress(rotation)
    return rotation


def _rotate(
    account: ProviderAccount | AccountCallbacks,
    sealer: CredentialSealer,
    rotation: Rotation,
    *,
    dry_run: bool,
) -> None:
    token = bytes(account.sealed)
    if sealer.is_newest(token):
        rotation.newest += 1
        return
    try:
        renewed = sealer.renew(token)
    except Unreadable:
        rotation.unreadable += 1
        log.error("no key opens a provider account", account=account.pk)
        return
    rotation.renewed += 1
    if not dry_run:
        # Not `save`: nothing has changed for those who look at `updated_at`.
        type(account).objects.filter(pk=account.pk).update(sealed=renewed)


def _batches(kind: type[ProviderAccount] | type[AccountCallbacks]) -> Iterator[list[str]]:
    after = None
    while True:
        rows = kind.objects.order_by("pk")
        if after is not None:
            rows = rows.filter(pk__gt=after)
        batch = [str(pk) for pk in rows.values_list("pk", flat=True)[:ROTATED_AT_ONCE]]
        if not batch:
            return
        yield batch
        after = batch[-1]


def _shape_of(channel: str, provider: str) -> AccountShape:
    """Raises ValidationFailed."""
    shapes = ACCOUNT_SHAPES.get(channel)
    if shapes is None:
        known = ", ".join(ACCOUNT_SHAPES)
        raise ValidationFailed(details={"channel": [f"Unknown channel. There are: {known}."]})
    shape = shapes.get(provider)
    if shape is None:
        known = ", ".join(shapes)
        raise ValidationFailed(
            details={"provider": [f"Unknown provider of {channel}. There are: {known}."]}
        )
    return shape


def _check(shape: AccountShape, name: str, sender: str, credentials: dict[str, str] | None) -> None:
    """Raises ValidationFailed, which repeats no value."""
    wrong: dict[str, list[str]] = {}
    if not name.isprintable():
        wrong["name"] = ["Expected printable characters."]
    problem = shape.sender_problem(sender)
    if problem:
        wrong["sender"] = [problem]
    problems = [] if credentials is None else shape.problems(credentials)
    if problems:
        wrong["credentials"] = problems
    if wrong:
        raise ValidationFailed(details=wrong)
