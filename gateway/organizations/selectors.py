"""Reads."""

from datetime import UTC, datetime

from django.db.models import Q, QuerySet

from carillon.contracts import ids
from carillon.contracts.messages import Mode
from gateway.organizations.errors import APIKeyNotFound, LiveKeyNeeded
from gateway.organizations.key_records import KeyRecord, record_of
from gateway.organizations.models import APIKey, Organization


def key_record(prefix: str) -> KeyRecord | None:
    """The record of the key with this public prefix."""
    key = APIKey.objects.select_related("organization").filter(prefix=prefix).first()
    return None if key is None else record_of(key)


def get_organization(organization_id: str) -> Organization:
    """One that has a key. Raises Organization.DoesNotExist."""
    return Organization.objects.get(pk=organization_id)


def platform_stands_in(organization_id: str, channel: str) -> bool:
    """Whether the platform's providers come after the organization's own accounts."""
    return Organization.objects.filter(
        pk=organization_id, platform_stand_ins__contains=[channel]
    ).exists()


def list_api_keys(organization_id: str) -> "QuerySet[APIKey]":
    """An organization's keys, the newest first."""
    return APIKey.objects.filter(organization_id=organization_id)


def get_api_key(organization_id: str, key_id: str) -> APIKey:
    """One of its keys. Raises APIKeyNotFound."""
    key = None
    if ids.parse_id(ids.API_KEY, key_id) is not None:
        key = list_api_keys(organization_id).filter(pk=key_id).first()
    if key is None:
        raise APIKeyNotFound
    return key


def count_lasting_keys(organization_id: str) -> int:
    """Its keys that work, without those that were rotated and soon end."""
    unexpired = Q(expires_at=None) | Q(expires_at__gt=datetime.now(UTC))
    lasting = list_api_keys(organization_id).filter(is_active=True, replaced_by=None)
    return lasting.filter(unexpired).count()


def check_authority(caller: KeyRecord, key: APIKey) -> None:
    """A test key never stops what is real. Raises LiveKeyNeeded."""
    if caller.mode is Mode.TEST and key.mode != Mode.TEST:
        raise LiveKeyNeeded
