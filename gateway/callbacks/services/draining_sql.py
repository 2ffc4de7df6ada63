"""The statements that apply reports; each takes its rows as one JSON parameter."""

from gateway.deliveries.models import RECEIPTLESS

CLAIM = """
    SELECT id, provider, provider_message_id, notification_id, organization_id, kind, reason,
           suppress, code, message, occurred_at, received_at, tries
    FROM callbacks_callbackevent
    WHERE due_at <= %s ORDER BY due_at, id LIMIT %s
    FOR UPDATE SKIP LOCKED
"""
# By the index of the attempts whose provider reports at all: its condition has to stand here too.
# What an organization's own account reports is about nobody else's notification.
CORRELATE = f"""
    SELECT a.provider, a.provider_message_id, asked.organization, a.notification_id
    FROM json_to_recordset(%s::json) AS asked (provider text, id text, organization uuid)
    JOIN deliveries_deliveryattempt a
        ON a.provider = asked.provider AND a.provider_message_id = asked.id
       AND a.provider_message_id <> ''
       AND a.provider NOT IN ({", ".join(f"'{name}'" for name in RECEIPTLESS)})
    JOIN notifications_notification n
        ON n.id = a.notification_id
       AND (asked.organization IS NULL OR n.organization_id = asked.organization)
"""  # noqa: S608  our own constants
# In the order of their ids, as everybody locks them.
LOCK = """
    SELECT id FROM notifications_notification WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""
ATTEMPTS = """
    SELECT a.notification_id, a.number, n.organization_id, n.correlation_id, a.channel, a.provider,
           a.provider_message_id, a.outcome, a.started_at, a.duration_ms
    FROM deliveries_deliveryattempt a
    JOIN notifications_notification n ON n.id = a.notification_id
    WHERE a.notification_id = ANY(%s)
"""
SETTLE = "UPDATE callbacks_callbackevent SET due_at = NULL WHERE id = ANY(%s)"
PUT_OFF = """
    UPDATE callbacks_callbackevent c
    SET tries = least(c.tries + 1, 32767), due_at = again.due_at
    FROM json_to_recordset(%s::json) AS again (id bigint, due_at timestamptz)
    WHERE c.id = again.id
"""
ENGAGE = """
    INSERT INTO callbacks_engagement AS known (notification_id, kind, first_at, last_at, count)
    SELECT * FROM json_to_recordset(%s::json) AS said (
        notification_id uuid, kind text, first_at timestamptz, last_at timestamptz, count integer
    )
    ON CONFLICT (notification_id, kind) DO UPDATE
    SET first_at = least(known.first_at, excluded.first_at),
        last_at = greatest(known.last_at, excluded.last_at),
        count = known.count + excluded.count
"""
WAITING = """
    SELECT count(*), min(due_at) FILTER (WHERE due_at <= %s)
    FROM callbacks_callbackevent WHERE due_at IS NOT NULL
"""
