"""Stores the notifications of a batch: hundreds in one statement, with content and outbox row.

An array for each column that differs from one notification to the next.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from django.db import connection

from carillon.contracts.status import Status
from gateway.notifications.storage import NewNotification
from gateway.outbox.ordering import outbox_priority

# Arrays travel in binary (%b): as text, every quote of the contents would be escaped and read back.
_INSERT_MANY = """
WITH new AS (
  SELECT * FROM unnest(
    %(ids)b::uuid[], %(request_ids)b::text[], %(digests)b::bytea[], %(statuses)b::text[],
    %(reasons)b::text[], %(user_ids)b::text[], %(versions)b::int4[], %(languages)b::text[],
    %(scheduled)b::timestamptz[], %(addresses)b::text[], %(names)b::text[], %(contents)b::text[],
    %(fallbacks)b::text[]
  ) AS new (
    id, request_id, request_digest, status, reason, user_id, template_version, language,
    scheduled_at, addresses, recipient_name, content, fallback
  )
), accepted AS (
  INSERT INTO notifications_notification (
    id, organization_id, batch_id, request_id, request_digest, correlation_id, channel, mode,
    status, reason, lane, priority, category, delivery, user_id, template_code, template_version,
    language, metadata, scheduled_at, deferral, expires_at, created_at, updated_at,
    attempt, provider, provider_message_id, error_message, expect_receipt_within
  )
  SELECT
    id, %(organization_id)s, %(batch_id)s, request_id, request_digest, %(correlation_id)s,
    %(channel)s, %(mode)s, status, reason, %(lane)s, %(priority)s, %(category)s, %(delivery)s,
    user_id, %(template_code)s, template_version, language, %(metadata)s::jsonb, scheduled_at,
    CASE WHEN status = %(scheduled_status)s THEN reason ELSE '' END,
    %(expires_at)s, %(created_at)s, %(created_at)s, 1, '', '', '',
    %(expect_receipt_within)s
  FROM new
  ON CONFLICT (organization_id, request_id) DO NOTHING
  RETURNING id, status, scheduled_at
), said AS (
  INSERT INTO notifications_notificationcontent (
    notification_id, addresses, recipient_name, content, traceparent, fallback
  )
  SELECT id, addresses::jsonb, recipient_name, content::jsonb, %(traceparent)s,
    nullif(fallback, '')::jsonb
  FROM new JOIN accepted USING (id)
), promised AS (
  INSERT INTO outbox_outboxmessage (notification_id, attempt, priority, available_at)
  SELECT id, 1, %(outbox_priority)s, coalesce(scheduled_at, %(created_at)s)
  FROM accepted WHERE status <> %(rejected)s
)
SELECT id FROM accepted
"""


class Insertion:
    """A statement on its way; PostgreSQL works on it while the next one is being prepared."""

    def __init__(self, batch_id: UUID, notifications: Sequence[NewNotification]) -> None:
        """Send it. The notifications are of one batch: what they share is taken from the first.

        Raises Django's database errors; those of the statement itself come with `stored`.
        """
        connection.ensure_connection()
        # Django's own cursors bind on the client's side, and such statements cannot be prepared.
        self._cursor = psycopg.Cursor(connection.connection)
        with connection.wrap_database_errors:
            self._cursor.execute(_INSERT_MANY, _parameters(batch_id, notifications), prepare=True)

    def stored(self) -> set[UUID]:
        """Wait for it: the ids of those whose request_id was not taken.

        Raises Django's database errors.
        """
        with connection.wrap_database_errors, self._cursor as cursor:
            return {row[0] for row in cursor.fetchall()}


@contextmanager
def insertions() -> Iterator[None]:
    """Within it, statements are sent without waiting for the answer to the one before.

    Raises Django's database errors.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def _parameters(batch_id: UUID, notifications: Sequence[NewNotification]) -> dict[str, Any]:
    first = notifications[0]
    scheduled: list[datetime | None] = [new.scheduled_at for new in notifications]
    return {
        "ids": [new.id for new in notifications],
        "request_ids": [new.request_id for new in notifications],
        "digests": [new.request_digest for new in notifications],
        "statuses": [new.status.value for new in notifications],
        "reasons": [new.reason for new in notifications],
        "user_ids": [new.user_id for new in notifications],
        "versions": [new.template_version for new in notifications],
        "languages": [new.language for new in notifications],
        "scheduled": scheduled,
        "addresses": [_json(new.addresses) for new in notifications],
        "names": [new.recipient_name for new in notifications],
        "contents": [_json(new.content) for new in notifications],
        "fallbacks": [_json(new.fallback) if new.fallback else "" for new in notifications],
        "batch_id": batch_id,
        "organization_id": first.organization_id,
        "correlation_id": first.correlation_id,
        "channel": first.channel,
        "mode": first.mode.value,
        "lane": first.lane.value,
        "priority": first.priority,
        "category": first.category,
        "delivery": first.delivery.value,
        "template_code": first.template_code,
        "metadata": _json(first.metadata),
        "expires_at": first.expires_at,
        "created_at": first.created_at,
        "traceparent": first.traceparent,
        "expect_receipt_within": first.expect_receipt_within,
        "outbox_priority": outbox_priority(first.lane, first.priority),
        "rejected": Status.REJECTED.value,
        "scheduled_status": Status.SCHEDULED.value,
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
