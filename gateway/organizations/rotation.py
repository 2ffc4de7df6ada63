"""Rotating a key: another takes its place, and both work for as long as a deployment takes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F

from carillon.contracts.messages import Mode
from gateway.organizations.errors import APIKeyNotFound, APIKeyNotRotatable
from gateway.organizations.keys import NewKey
from gateway.organizations.models import APIKey
from gateway.organizations.services import CacheNotTold, create_api_key, tell_cache

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rotation:
    """The old key as it is now, and the new one with its text.

    `cache_told` is false where Redis could not be told that the old key ends: it may then work
    for up to a minute longer than it should.
    """

    old: APIKey
    new: APIKey
    key: NewKey
    cache_told: bool


def rotate_api_key(organization_id: str, key_id: str, overlap: timedelta) -> Rotation:
    """Make a key of the same name, mode, scopes and expiry; the old one ends after `overlap`.

    Of several calls at once one succeeds. Raises APIKeyNotFound or APIKeyNotRotatable.
    """
    now = datetime.now(UTC)
    with transaction.atomic():
        old = (
            APIKey.objects.select_for_update(no_key=True, of=("self",))
            .select_related("organization")
            .filter(organization_id=organization_id, pk=key_id)
            .first()
        )
        if old is None:
            raise APIKeyNotFound
        _check(old, now)
        new, key = create_api_key(
            old.organization,
            mode=Mode(old.mode),
            name=old.name,
            scopes=old.scopes,
            expires_at=old.expires_at,
        )
        end = now + overlap
        APIKey.objects.filter(pk=old.pk).update(
            expires_at=end if old.expires_at is None else min(old.expires_at, end),
            is_active=bool(overlap),
            replaced_by=new,
            revision=F("revision") + 1,
        )
    old.refresh_from_db()
    log.info("api key rotated", key=old.pk, replaced_by=new.pk, overlap=overlap.total_seconds())
    return Rotation(old, new, key, _tell(old))


def _check(key: APIKey, now: datetime) -> None:
    """Raises APIKeyNotRotatable."""
    if key.replaced_by_id:
        raise APIKeyNotRotatable("The key was rotated already; rotate the one that replaces it.")
    if not key.is_active:
        raise APIKeyNotRotatable("The key is deactivated.")
    if key.expires_at is not None and key.expires_at <= now:
        raise APIKeyNotRotatable("The key has expired.")


def _tell(old: APIKey) -> bool:
    """False where the cache could not be told. An error would keep the new key from its owner."""
    try:
        tell_cache(APIKey.objects.filter(pk=old.pk))
    except CacheNotTold:
        return False
    return True
