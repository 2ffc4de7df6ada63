"""Writes: organizations and their API keys."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

import redis
import structlog
from django.db import transaction
from django.db.models import F

from carillon.contracts.channels import CHANNELS
from carillon.contracts.messages import Mode
from carillon.web.errors import ServiceUnavailable, ValidationFailed
from gateway.connections import redis_client
from gateway.organizations import key_records
from gateway.organizations.keys import NewKey, new_key
from gateway.organizations.models import APIKey, Organization, Scope

log = structlog.get_logger(__name__)

ALL_SCOPES = tuple(scope.value for scope in Scope)


class CacheNotTold(ServiceUnavailable):
    """The database has the change, Redis could not be told."""

    code = "cache_unavailable"

    def __init__(self) -> None:
        super().__init__(
            "The change is stored, but the cache of keys could not be told: it may take up to "
            f"{key_records.KEPT_SECONDS} seconds to take effect. Repeat the call to make sure."
        )


@dataclass(frozen=True, slots=True)
class CreatedOrganization:
    """A new organization with the keys that are now shown for the only time."""

    organization: Organization
    live: NewKey
    test: NewKey


def create_organization(
    *,
    organization_id: str,
    name: str,
    plan: str,
    monthly_quota: int | None = None,
    contact_email: str = "",
) -> CreatedOrganization:
    """Create it with a live and a test key, both of all scopes. `monthly_quota` None: the plan's.

    The internal services are told separately, by `gateway.organizations.synchronization`.
    """
    with transaction.atomic():
        organization = Organization.objects.create(
            id=organization_id,
            name=name,
            plan=plan,
            monthly_quota=monthly_quota,
            contact_email=contact_email,
        )
        _, live = create_api_key(organization, mode=Mode.LIVE, name="First live key")
        _, test = create_api_key(organization, mode=Mode.TEST, name="First test key")
    return CreatedOrganization(organization, live, test)


def create_api_key(
    organization: Organization,
    *,
    mode: Mode,
    name: str = "",
    scopes: Iterable[str] = ALL_SCOPES,
    expires_at: datetime | None = None,
) -> tuple[APIKey, NewKey]:
    """Create a key; its text is in the second value and nowhere else."""
    key = new_key(mode)
    stored = APIKey.objects.create(
        organization=organization,
        name=name,
        prefix=key.prefix,
        digest=key.digest,
        mode=mode.value,
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    return stored, key


def deactivate_api_key(key: APIKey) -> None:
    """Refuse the key from its very next request on; safe to repeat. Raises CacheNotTold."""
    with transaction.atomic():
        APIKey.objects.filter(pk=key.pk).update(is_active=False, revision=F("revision") + 1)
        transaction.on_commit(lambda: tell_cache(APIKey.objects.filter(pk=key.pk)))


def save_api_key(key: APIKey) -> None:
    """Save a changed key, and make the change hold at once. Raises CacheNotTold."""
    with transaction.atomic():
        # Locks the row before its revision is raised.
        APIKey.objects.filter(pk=key.pk).update(revision=F("revision") + 1)
        key.revision = APIKey.objects.values_list("revision", flat=True).get(pk=key.pk)
        key.save()
        transaction.on_commit(lambda: tell_cache(APIKey.objects.filter(pk=key.pk)))


def save_organization(organization: Organization) -> None:
    """Save a changed organization; its keys follow at once. Raises CacheNotTold."""
    with transaction.atomic():
        organization.save()
        keys = APIKey.objects.filter(organization=organization)
        keys.update(revision=F("revision") + 1)
        transaction.on_commit(lambda: tell_cache(keys))


def let_platform_stand_in(organization_id: str, channels: Collection[str]) -> Organization:
    """On these channels alone; workers know within a minute. Raises ValidationFailed."""
    unknown = sorted(set(channels) - set(CHANNELS))
    if unknown:
        expected = f"Expected some of {', '.join(CHANNELS)}."
        raise ValidationFailed(details={"platform_stand_ins": [expected]})
    organization = Organization.objects.get(pk=organization_id)
    organization.platform_stand_ins = [name for name in CHANNELS if name in channels]
    # What is kept of its keys does not tell of it.
    organization.save(update_fields=["platform_stand_ins", "updated_at"])
    log.info("platform stand-ins chosen", channels=organization.platform_stand_ins)
    return organization


def tell_cache(keys: Iterable[APIKey]) -> None:
    """Write what the database says now, so that a cached record never outlives its truth."""
    client = redis_client()
    try:
        for key in APIKey.objects.select_related("organization").filter(
            pk__in=[key.pk for key in keys]
        ):
            key_records.write(client, key_records.record_of(key))
    except redis.RedisError as error:
        log.error("key cache could not be told", error=type(error).__name__)
        raise CacheNotTold from error
