"""How many notifications count against a monthly quota: PostgreSQL's word, which Redis repeats."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from carillon.errors import Reason

# Refused by us, before anything was sent: free of charge, as is what was cancelled then.
FREE_REASONS = (
    Reason.USER_OPTED_OUT.value,
    Reason.SUPPRESSED.value,
    Reason.QUIET_HOURS.value,
    Reason.FREQUENCY_CAPPED.value,
)

_COUNT = """
SELECT count(*) FROM notifications_notification
WHERE organization_id = %s AND created_at >= %s AND mode = 'live'
AND NOT (queued_at IS NULL AND attempt = 1
         AND (status = 'cancelled' OR (status = 'rejected' AND reason = ANY(%s))))
"""


def count_since(organization_id: UUID, start: datetime) -> int:
    """Live notifications accepted since `start`, without those that were free of charge."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, (organization_id, start, list(FREE_REASONS)))
        return int(cursor.fetchone()[0])


def lock_quota(organization_id: UUID) -> None:
    """Let nobody else count and insert for this organization until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (organization_id.hex,)
        )


def existing(ids: Sequence[UUID]) -> set[UUID]:
    """Those of `ids` that were stored."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM notifications_notification WHERE id = ANY(%s)", (list(ids),))
        return {row[0] for row in cursor.fetchall()}
