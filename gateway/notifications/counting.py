"""How many notifications count against a monthly quota: PostgreSQL's word, which Redis repeats."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from carillon.contracts import ids
from carillon.errors import Reason

# Refused by us, before anything was sent: free of charge, as is what was cancelled then.
FREE_REASONS = (
    Reason.USER_OPTED_OUT.value,
    Reason.SUPPRESSED.value,
    Reason.QUIET_HOURS.value,
    Reason.FREQUENCY_CAPPED.value,
)

_COUNTED = """
mode = 'live'
AND NOT (queued_at IS NULL AND attempt = 1
         AND (status = 'cancelled' OR (status = 'rejected' AND reason = ANY(%(free)s))))
"""

_COUNT = f"""
SELECT (
  SELECT count(*) FROM notifications_notification
  WHERE organization_id = %(organization)s AND created_at >= %(start)s AND {_COUNTED}
) + (
  SELECT coalesce(sum(count), 0) FROM notifications_deletedcount
  WHERE organization_id = %(organization)s AND month >= %(start)s::date
)
"""  # noqa: S608  no value is part of the text

_REMEMBER = f"""
INSERT INTO notifications_deletedcount (organization_id, month, count)
SELECT organization_id, date_trunc('month', created_at AT TIME ZONE 'UTC')::date, 1
FROM notifications_notification WHERE id = %(id)s AND {_COUNTED}
ON CONFLICT (organization_id, month) DO UPDATE SET count = notifications_deletedcount.count + 1
"""  # noqa: S608


def count_since(organization_id: UUID, start: datetime) -> int:
    """Live notifications accepted since `start`, a month's, without those free of charge.

    Those that were deleted since then were sent all the same.
    """
    parameters: dict[str, Any] = {
        "organization": organization_id,
        "start": start,
        "free": list(FREE_REASONS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, parameters)
        return int(cursor.fetchone()[0])


def remember_deleted(notification_id: str) -> None:
    """Go on counting a notification that is about to be deleted, in its transaction."""
    found = ids.parse_id(ids.NOTIFICATION, notification_id)
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER, {"id": found, "free": list(FREE_REASONS)})


def lock_quota(organization_id: UUID) -> None:
    """Let nobody else count and insert for this organization until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (organization_id.hex,)
        )


def existing(notifications: Sequence[UUID]) -> set[UUID]:
    """Those of them that were stored."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM notifications_notification WHERE id = ANY(%s)", (list(notifications),)
        )
        return {row[0] for row in cursor.fetchall()}
