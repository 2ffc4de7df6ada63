"""This service's own connection to the cache that the gateway reads."""

import functools
from collections.abc import Sequence

from django.conf import settings

from carillon.contracts.records import UserRecord
from carillon.record_cache import RecordCache, user_cache
from carillon.redis_client import connect
from user_service.users.models import User
from user_service.users.shapes import user_record


@functools.cache
def cache() -> RecordCache[UserRecord]:
    """One pool of connections per process."""
    return user_cache(connect(settings.CARILLON.redis_url))


def keep(user: User) -> UserRecord:
    """Write the user under each of its names; gives what was written.

    `user` comes with its devices prefetched. An entry of a later revision stays.
    """
    record = user_record(user)
    names = [user.id, user.external_id] if user.external_id else [user.id]
    cache().write(user.organization_id, names, record)
    return record


def forget(organization_id: str, names: Sequence[str], revision: int) -> None:
    """Say that these names have meant nothing since `revision`."""
    cache().write_absence(organization_id, names, revision)
