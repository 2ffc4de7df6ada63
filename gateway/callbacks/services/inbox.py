"""Keeps reports before they are acknowledged: one statement, one commit, and no broker."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db import connection

from carillon.contracts import ids
from gateway.callbacks.events import (
    CODE_CHARACTERS,
    MESSAGE_CHARACTERS,
    PROVIDER_MESSAGE_ID_CHARACTERS,
    ProviderEvent,
)
from gateway.outbox.database import Connection

# In the order of the digests, so that two callbacks with the same reports never deadlock.
_KEEP = """
    INSERT INTO callbacks_callbackevent
        (digest, provider, provider_message_id, notification_id, organization_id, kind, reason,
         suppress, code, message, occurred_at, received_at, tries, due_at)
    SELECT decode(digest, 'hex'), provider, provider_message_id, notification_id, organization_id,
           kind, reason, suppress, code, message, occurred_at, %(at)s, 0, %(at)s
    FROM json_to_recordset(%(rows)s::json) AS row (
        digest text, provider text, provider_message_id text, notification_id uuid,
        organization_id uuid, kind text, reason text, suppress text, code text, message text,
        occurred_at timestamptz
    )
    ORDER BY digest
    ON CONFLICT (digest) DO NOTHING
"""
_FORGET = """
    DELETE FROM callbacks_callbackevent WHERE id IN (
        SELECT id FROM callbacks_callbackevent
        WHERE received_at < %s AND due_at IS NULL
        ORDER BY received_at LIMIT %s
        FOR UPDATE SKIP LOCKED
    )
"""

# What is said to have happened before is a clock that was never set, or worse: PostgreSQL stores
# times that Python cannot read again.
LONGEST_AGO = timedelta(days=366)

_encoder = msgspec.json.Encoder()


class _Row(msgspec.Struct, frozen=True):
    digest: str
    provider: str
    provider_message_id: str
    notification_id: UUID | None
    organization_id: UUID | None
    kind: str
    reason: str
    suppress: str
    code: str
    message: str
    occurred_at: datetime


def keep_events(
    events: Sequence[ProviderEvent],
    *,
    at: datetime,
    notification: UUID | None = None,
    organization: UUID | None = None,
) -> int:
    """How many were new; they are durable when this returns.

    `notification` is known of our own reports alone, `organization` where its own account
    reports. Raises Django's database errors.
    """
    if not events:
        return 0
    rows = [_row(event, at, notification, organization) for event in events]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, {"rows": _encoder.encode(rows).decode(), "at": at})
        return int(cursor.rowcount)


def _row(
    event: ProviderEvent, at: datetime, notification: UUID | None, organization: UUID | None
) -> _Row:
    # A time that is yet to come is the provider's clock, not a prophecy.
    occurred_at = min(max(event.occurred_at or at, at - LONGEST_AGO), at)
    whose = ids.format_id(ids.ORGANIZATION, organization) if organization else ""
    return _Row(
        digest=event.digest(whose).hex(),
        provider=event.provider,
        provider_message_id=_text(event.provider_message_id, PROVIDER_MESSAGE_ID_CHARACTERS),
        notification_id=notification,
        organization_id=organization,
        kind=event.kind.value,
        reason=event.reason.value if event.reason else "",
        suppress=event.suppress.value if event.suppress else "",
        code=_text(event.code, CODE_CHARACTERS),
        message=_text(event.message, MESSAGE_CHARACTERS),
        occurred_at=occurred_at,
    )


def _text(value: str, most: int) -> str:
    """PostgreSQL knows no NUL, JSON no lone surrogate, and every column has its width."""
    return value[:most].replace("\x00", "").encode("utf-8", "replace").decode()


def forget_settled(session: Connection, *, before: datetime, most: int = 5_000) -> int:
    """Forget what was settled and came before that time; answers how many it were, and commits.

    Raises psycopg.Error.
    """
    forgotten = session.execute(_FORGET, (before, most)).rowcount
    session.commit()
    return forgotten
