"""This service's own connection to the cache of policies."""

import functools

from django.conf import settings

from carillon.contracts.records import PolicyRecord
from carillon.record_cache import POLICY, RecordCache, policy_cache
from carillon.redis_client import connect


@functools.cache
def cache() -> RecordCache[PolicyRecord]:
    """One pool of connections per process."""
    return policy_cache(connect(settings.CARILLON.redis_url))


def keep(record: PolicyRecord) -> PolicyRecord:
    """Write the policy; an entry of a later revision stays."""
    cache().write(record.organization_id, [POLICY], record)
    return record
