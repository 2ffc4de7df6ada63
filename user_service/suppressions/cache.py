"""This service's own connection to the cache of suppressed addresses."""

import functools
from collections.abc import Collection

from django.conf import settings

from carillon.contracts.records import SuppressionRecord
from carillon.record_cache import RecordCache, suppression_cache
from carillon.redis_client import connect
from carillon.web.revisions import next_revision
from user_service.suppressions.selectors import reasons_by_digest


@functools.cache
def cache() -> RecordCache[SuppressionRecord]:
    """One pool of connections per process."""
    return suppression_cache(connect(settings.CARILLON.redis_url))


def refresh(organization_id: str, digests: Collection[bytes]) -> dict[bytes, SuppressionRecord]:
    """Write what the database says now of these addresses, and give it.

    To be called outside of a transaction. The revision is taken before the database is asked:
    whoever asked before a change was committed also took the lower revision, so that the change's
    own refresh prevails, though an address that is not suppressed has no row to number.
    """
    revision = next_revision()
    reasons = reasons_by_digest(organization_id, digests)
    records = {
        digest: SuppressionRecord(revision=revision, reason=reasons.get(digest, ""))
        for digest in digests
    }
    cache().write_many(
        organization_id, (([digest.hex()], record) for digest, record in records.items())
    )
    return records
