"""This service's own connection to the cache of users."""

import functools
from collections.abc import Sequence

from django.conf import settings

from carillon.contracts.records import UserRecord
from carillon.record_cache import RecordCache, user_cache
from carillon.redis_client import connect


@functools.cache
def cache() -> RecordCache[UserRecord]:
    """One pool of connections per process."""
    return user_cache(connect(settings.CARILLON.redis_url))


def keep(organization_id: str, records: Sequence[UserRecord]) -> None:
    """Write each user under each of its names; entries of a later revision stay."""
    cache().write_many(
        organization_id,
        (
            (
                [record.user_id, record.external_id] if record.external_id else [record.user_id],
                record,
            )
            for record in records
        ),
    )


def forget(organization_id: str, names: Sequence[str], revision: int) -> None:
    """Say that these names have meant nothing since `revision`."""
    cache().write_absence(organization_id, names, revision)
