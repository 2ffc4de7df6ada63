"""Reads."""

from gateway.organizations.key_records import KeyRecord, record_of
from gateway.organizations.models import APIKey


def key_record(prefix: str) -> KeyRecord | None:
    """The record of the key with this public prefix."""
    key = APIKey.objects.select_related("organization").filter(prefix=prefix).first()
    return None if key is None else record_of(key)
