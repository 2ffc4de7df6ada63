"""The one statement behind a 202: notification, content and outbox message, or none of them.

Raw and prepared: this is the hot path, and the ORM would take four times as long.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from django.db import InterfaceError, OperationalError, connection

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import Address, Content, DeliveryPolicy, Mode
from carillon.contracts.status import Status
from gateway.fallbacks.promises import Promise
from gateway.outbox.ordering import outbox_priority


class NewNotification(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is stored of a notification when it is accepted."""

    id: UUID
    organization_id: UUID
    request_id: str
    request_digest: bytes
    correlation_id: str
    channel: str
    mode: Mode
    status: Status
    reason: str
    lane: Lane
    priority: int
    category: str
    delivery: DeliveryPolicy
    user_id: str
    template_code: str
    template_version: int | None
    language: str
    metadata: Mapping[str, Any]
    scheduled_at: datetime | None
    expires_at: datetime | None
    created_at: datetime
    addresses: tuple[Address, ...]
    recipient_name: str
    content: Content
    traceparent: str
    # Seconds; 0 waits for a receipt for ever.
    expect_receipt_within: int = 0
    fallback: Promise | None = None


_INSERT = """
WITH accepted AS (
  INSERT INTO notifications_notification (
    id, organization_id, request_id, request_digest, correlation_id, channel, mode, status,
    reason, lane, priority, category, delivery, user_id, template_code, template_version,
    language, metadata, scheduled_at, deferral, expires_at, created_at, updated_at,
    attempt, provider, provider_message_id, error_message, expect_receipt_within
  ) VALUES (
    %(id)s, %(organization_id)s, %(request_id)s, %(request_digest)s, %(correlation_id)s,
    %(channel)s, %(mode)s, %(status)s, %(reason)s, %(lane)s, %(priority)s, %(category)s,
    %(delivery)s, %(user_id)s, %(template_code)s, %(template_version)s, %(language)s,
    %(metadata)s, %(scheduled_at)s, %(deferral)s, %(expires_at)s, %(created_at)s, %(created_at)s,
    1, '', '', '', %(expect_receipt_within)s
  )
  ON CONFLICT (organization_id, request_id) DO NOTHING
  RETURNING id
), said AS (
  INSERT INTO notifications_notificationcontent (
    notification_id, addresses, recipient_name, content, traceparent, fallback
  )
  SELECT id, %(addresses)s::jsonb, %(recipient_name)s, %(content)s::jsonb, %(traceparent)s,
    %(fallback)s::jsonb
  FROM accepted
), promised AS (
  INSERT INTO outbox_outboxmessage (notification_id, attempt, priority, available_at)
  SELECT id, 1, %(outbox_priority)s, %(available_at)s FROM accepted WHERE %(is_promised)s
)
SELECT id FROM accepted
"""

_FIND = """
SELECT id, request_digest, status, reason, correlation_id
FROM notifications_notification WHERE organization_id = %s AND request_id = %s
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """What an earlier request with the same request_id left behind."""

    id: UUID
    request_digest: bytes
    status: str
    reason: str
    correlation_id: str


def insert(notification: NewNotification) -> bool:
    """Store it; false where the request_id is taken, and then nothing is stored.

    A connection found dead is replaced and the statement repeated: if it had been executed after
    all, the repeat finds its own row. Raises Django's database errors.
    """
    parameters = _parameters(notification)
    try:
        return _insert(parameters)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or not _is_broken():
            raise
        connection.close()
    if _insert(parameters):
        return True
    found = find(notification.organization_id, notification.request_id)
    return found is not None and found.id == notification.id


def find(organization_id: UUID, request_id: str) -> Stored | None:
    """The notification of a request_id. Raises Django's database errors."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, (organization_id, request_id))
        row = cursor.fetchone()
    if row is None:
        return None
    return Stored(row[0], bytes(row[1]), row[2], row[3], row[4])


def _insert(parameters: dict[str, Any]) -> bool:
    connection.ensure_connection()
    # Django's own cursors bind on the client's side, and such statements cannot be prepared.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_INSERT, parameters, prepare=True)
        return cursor.fetchone() is not None


def _is_broken() -> bool:
    return connection.connection is None or connection.connection.closed


def _parameters(new: NewNotification) -> dict[str, Any]:
    return {
        "id": new.id,
        "organization_id": new.organization_id,
        "request_id": new.request_id,
        "request_digest": new.request_digest,
        "correlation_id": new.correlation_id,
        "channel": new.channel,
        "mode": new.mode.value,
        "status": new.status.value,
        "reason": new.reason,
        "lane": new.lane.value,
        "priority": new.priority,
        "category": new.category,
        "delivery": new.delivery.value,
        "user_id": new.user_id,
        "template_code": new.template_code,
        "template_version": new.template_version,
        "language": new.language,
        "metadata": _json(new.metadata),
        "scheduled_at": new.scheduled_at,
        "expires_at": new.expires_at,
        "created_at": new.created_at,
        "addresses": _json(new.addresses),
        "recipient_name": new.recipient_name,
        "content": _json(new.content),
        "traceparent": new.traceparent,
        "expect_receipt_within": new.expect_receipt_within,
        "fallback": None if new.fallback is None else _json(new.fallback),
        "outbox_priority": outbox_priority(new.lane, new.priority),
        "available_at": new.scheduled_at or new.created_at,
        "deferral": new.reason if new.status is Status.SCHEDULED else "",
        "is_promised": new.status is not Status.REJECTED,
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
