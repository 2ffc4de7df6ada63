"""The statements that apply a batch of events; each takes its rows as one JSON parameter.

One parameter costs less than an array per column, on both sides of the wire.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from carillon.contracts.messages import DeviceResult, Outcome
from carillon.contracts.status import Status
from gateway.deliveries.transitions import REFINES

# In the order of their ids, as everybody locks them, so that two batches never deadlock.
LOCK = """
    SELECT n.id, n.organization_id, n.channel, n.lane, n.priority, n.status, n.attempt,
           CASE WHEN n.attempt > 1 THEN (
               SELECT d.attempts FROM deliveries_deadletter d WHERE d.notification_id = n.id
           ) END,
           n.created_at, n.expires_at
    FROM notifications_notification n
    WHERE n.id = ANY(%b)
    ORDER BY n.id
    FOR NO KEY UPDATE OF n
"""

RECORDED = """
    SELECT notification_id, number, outcome FROM deliveries_deliveryattempt
    WHERE notification_id = ANY(%s)
"""

_NEWS = ", ".join(
    f"('{recorded.value}', '{new.value}')" for recorded, later in REFINES.items() for new in later
)
# Answers with the attempts that were new or news; the others are repeats.
RECORD = f"""
    INSERT INTO deliveries_deliveryattempt AS recorded
        (notification_id, number, channel, provider, provider_message_id, outcome, reason,
         error_code, error_message, started_at, finished_at, duration_ms, possible_duplicate,
         devices)
    SELECT * FROM json_to_recordset(%s::json) AS attempt (
        notification_id uuid, number smallint, channel text, provider text,
        provider_message_id text, outcome text, reason text, error_code text, error_message text,
        started_at timestamptz, finished_at timestamptz, duration_ms float8,
        possible_duplicate boolean, devices jsonb
    )
    ON CONFLICT (notification_id, number) DO UPDATE
    SET outcome = excluded.outcome, reason = excluded.reason, error_code = excluded.error_code,
        error_message = excluded.error_message,
        provider = coalesce(nullif(excluded.provider, ''), recorded.provider),
        provider_message_id =
            coalesce(nullif(excluded.provider_message_id, ''), recorded.provider_message_id),
        possible_duplicate = recorded.possible_duplicate OR excluded.possible_duplicate,
        devices = coalesce(excluded.devices, recorded.devices)
    WHERE (recorded.outcome, excluded.outcome) IN ({_NEWS})
    RETURNING notification_id, number
"""  # noqa: S608  our own enumeration's values

# What was sent waits for its receipt; what failed for good, and has somebody who may say it on
# another channel, is looked at at once. What may have arrived has not failed.
MOVE = """
    UPDATE notifications_notification n
    SET status = moved.status, attempt = moved.attempt, reason = moved.reason,
        provider = coalesce(nullif(moved.provider, ''), n.provider),
        provider_message_id =
            coalesce(nullif(moved.provider_message_id, ''), n.provider_message_id),
        error_message = moved.error_message, next_attempt_at = moved.next_attempt_at,
        sent_at = coalesce(n.sent_at, moved.sent_at), delivered_at = moved.delivered_at,
        receipt_due_at = CASE
            WHEN moved.status = 'sent' AND n.expect_receipt_within > 0
            THEN moved.sent_at + make_interval(secs => n.expect_receipt_within)
            WHEN moved.status IN ('failed', 'bounced') AND moved.reason <> 'outcome_unknown'
                AND EXISTS (
                    SELECT FROM notifications_notificationcontent c
                    WHERE c.notification_id = n.id AND c.fallback IS NOT NULL
                )
            THEN statement_timestamp()
        END,
        updated_at = %s
    FROM json_to_recordset(%s::json) AS moved (
        id uuid, status text, attempt smallint, reason text, provider text,
        provider_message_id text, error_message text, next_attempt_at timestamptz,
        sent_at timestamptz, delivered_at timestamptz
    )
    WHERE n.id = moved.id
"""

# An outcome overtook the relay, or its relay was killed before it could delete the row: without
# this the same attempt would be published again.
FORGET = "DELETE FROM outbox_outboxmessage WHERE notification_id = ANY(%s)"

RETRY = """
    INSERT INTO outbox_outboxmessage (notification_id, attempt, priority, available_at)
    SELECT * FROM json_to_recordset(%s::json) AS retry (
        notification_id uuid, attempt smallint, priority smallint, available_at timestamptz
    )
    ON CONFLICT (notification_id) DO UPDATE
    SET attempt = excluded.attempt, priority = excluded.priority,
        available_at = excluded.available_at
"""


# Whom the next attempt is not for.
SETTLE = """
    UPDATE notifications_notificationcontent c SET settled = done.settled
    FROM json_to_recordset(%s::json) AS done (notification_id uuid, settled jsonb)
    WHERE c.notification_id = done.notification_id
"""

DISABLE = """
    INSERT INTO deliveries_deaddevice (device_id, organization_id, created_at)
    SELECT device_id, organization_id, %s
    FROM json_to_recordset(%s::json) AS dead (device_id text, organization_id uuid)
    ON CONFLICT DO NOTHING
"""


class AttemptRow(msgspec.Struct, frozen=True):
    """A row of RECORD."""

    notification_id: UUID
    number: int
    channel: str
    provider: str
    provider_message_id: str
    outcome: Outcome
    reason: str
    error_code: str
    error_message: str
    started_at: datetime
    finished_at: datetime
    duration_ms: float
    possible_duplicate: bool
    devices: tuple[DeviceResult, ...] | None


class MovedRow(msgspec.Struct, frozen=True):
    """A row of MOVE."""

    id: UUID
    status: Status
    attempt: int
    reason: str
    provider: str
    provider_message_id: str
    error_message: str
    next_attempt_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None


class RetryRow(msgspec.Struct, frozen=True):
    """A row of RETRY."""

    notification_id: UUID
    attempt: int
    priority: int
    available_at: datetime


class SettledRow(msgspec.Struct, frozen=True):
    """A row of SETTLE."""

    notification_id: UUID
    settled: tuple[DeviceResult, ...]


class DeadDeviceRow(msgspec.Struct, frozen=True):
    """A row of DISABLE."""

    device_id: str
    organization_id: UUID


_encoder = msgspec.json.Encoder()


_Row = AttemptRow | MovedRow | RetryRow | SettledRow | DeadDeviceRow


def rows(records: Sequence[_Row]) -> str:
    """The records as the JSON parameter of their statement."""
    return _encoder.encode(records).decode()
