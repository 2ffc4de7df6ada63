"""What clearing a notification means: retention and erasure do the same."""

from collections.abc import Sequence
from uuid import UUID

from gateway.outbox.database import Connection

# Content, addresses and the recipient's name are a row of their own; its index of recipients goes
# with it. Error messages are the provider's words, which like to repeat an address. What has
# nothing to clear is not rewritten. Ids, statuses, times, reasons and error codes stay.
_CLEAR = """
    WITH cleared AS (
        DELETE FROM notifications_notificationcontent WHERE notification_id = ANY(%(ids)s)
        RETURNING 1
    ), notified AS (
        UPDATE notifications_notification SET error_message = ''
        WHERE id = ANY(%(ids)s) AND error_message <> ''
    ), attempted AS (
        UPDATE deliveries_deliveryattempt SET error_message = ''
        WHERE notification_id = ANY(%(ids)s) AND error_message <> ''
    ), buried AS (
        UPDATE deliveries_deadletter SET error_message = ''
        WHERE notification_id = ANY(%(ids)s) AND error_message <> ''
    ), unsent AS (
        UPDATE fallbacks_fallback SET message = ''
        WHERE notification_id = ANY(%(ids)s) AND message <> ''
    )
    SELECT count(*) FROM cleared
"""


def clear(connection: Connection, notifications: Sequence[UUID]) -> int:
    """Clear what is personal of these; how many had content.

    Runs in the caller's transaction, which must hold their locks. Raises psycopg.Error.
    """
    row = connection.execute(_CLEAR, {"ids": list(notifications)}).fetchone()
    return int(row[0]) if row else 0
