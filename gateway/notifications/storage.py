"""The one statement behind a 202: notification, content and outbox message, or none of them.

Raw, prepared and encoded here: this is the hot path, and the ORM would take four times as long.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
from django.db import (
    DEFAULT_DB_ALIAS,
    InterfaceError,
    OperationalError,
    connection,
    connections,
)

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import Address, Content, DeliveryPolicy, Mode
from carillon.contracts.status import Status
from carillon.web.postgresql.statements import Statement
from gateway.fallbacks.promises import Promise
from gateway.outbox.ordering import outbox_priority

# Encoded, as the statement sends them.
Values: TypeAlias = Mapping[str, bytes | None]


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


_INSERT = Statement(
    "carillon_accept",
    """
WITH accepted AS (
  INSERT INTO notifications_notification (
    id, organization_id, request_id, request_digest, correlation_id, channel, mode, status,
    reason, lane, priority, category, delivery, user_id, template_code, template_version,
    language, metadata, scheduled_at, deferral, expires_at, created_at, updated_at,
    attempt, provider, provider_message_id, error_message, expect_receipt_within
  ) VALUES (
    %(id)b, %(organization_id)b, %(request_id)b, %(request_digest)b, %(correlation_id)b,
    %(channel)b, %(mode)b, %(status)b, %(reason)b, %(lane)b, %(priority)t, %(category)b,
    %(delivery)b, %(user_id)b, %(template_code)b, %(template_version)t, %(language)b,
    %(metadata)t, %(scheduled_at)t, %(deferral)b, %(expires_at)t, %(created_at)t, %(created_at)t,
    1, '', '', '', %(expect_receipt_within)t
  )
  ON CONFLICT (organization_id, request_id) DO NOTHING
  RETURNING id
), said AS (
  INSERT INTO notifications_notificationcontent (
    notification_id, addresses, recipient_name, content, traceparent, fallback
  )
  SELECT id, %(addresses)t::jsonb, %(recipient_name)b, %(content)t::jsonb, %(traceparent)b,
    %(fallback)t::jsonb
  FROM accepted
), promised AS (
  INSERT INTO outbox_outboxmessage (notification_id, attempt, priority, available_at)
  SELECT id, 1, %(outbox_priority)t, %(available_at)t FROM accepted WHERE %(is_promised)t
)
SELECT id FROM accepted
""",
)

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
    values = _values(notification)
    try:
        return _insert(values)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or not _is_broken():
            raise
        connection.close()
    if _insert(values):
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


def _insert(values: Values) -> bool:
    # What Django calls `connection` looks the thread's own up at every mention.
    own = connections[DEFAULT_DB_ALIAS]
    own.ensure_connection()
    with own.wrap_database_errors:
        return _INSERT.run(own.connection, values).ntuples == 1


def _is_broken() -> bool:
    return connection.connection is None or connection.connection.closed


def _values(new: NewNotification) -> Values:
    return {
        "id": new.id.bytes,
        "organization_id": new.organization_id.bytes,
        "request_id": new.request_id.encode(),
        "request_digest": new.request_digest,
        "correlation_id": new.correlation_id.encode(),
        "channel": new.channel.encode(),
        "mode": new.mode.encode(),
        "status": new.status.encode(),
        "reason": new.reason.encode(),
        "lane": new.lane.encode(),
        "priority": b"%d" % new.priority,
        "category": new.category.encode(),
        "delivery": new.delivery.encode(),
        "user_id": new.user_id.encode(),
        "template_code": new.template_code.encode(),
        "template_version": None if new.template_version is None else b"%d" % new.template_version,
        "language": new.language.encode(),
        "metadata": _encode(new.metadata),
        "scheduled_at": _time(new.scheduled_at),
        "expires_at": _time(new.expires_at),
        "created_at": _time(new.created_at),
        "addresses": _encode(new.addresses),
        "recipient_name": new.recipient_name.encode(),
        "content": _encode(new.content),
        "traceparent": new.traceparent.encode(),
        "expect_receipt_within": b"%d" % new.expect_receipt_within,
        "fallback": None if new.fallback is None else _encode(new.fallback),
        "outbox_priority": b"%d" % outbox_priority(new.lane, new.priority),
        "available_at": _time(new.scheduled_at or new.created_at),
        "deferral": new.reason.encode() if new.status is Status.SCHEDULED else b"",
        "is_promised": b"f" if new.status is Status.REJECTED else b"t",
    }


_encode = msgspec.json.Encoder().encode


def _time(moment: datetime | None) -> bytes | None:
    return None if moment is None else moment.isoformat().encode()
