"""Keeps what deliveries teach, in the transaction that records the delivery.

Whatever else learns that an address is dead or its owner annoyed (a provider's callback, say) keeps
it here too: `keep_suppressions`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from carillon.contracts.channels import CHANNELS, AddressKind
from carillon.contracts.messages import DeliveryEvent, Outcome
from carillon.contracts.suppressions import SuppressionReason
from carillon.errors import Reason
from gateway.deliveries.services.reading import ReadEvent
from gateway.outbox.database import Connection

REASONS: Mapping[tuple[Outcome, Reason], SuppressionReason] = {
    (Outcome.BOUNCED, Reason.BOUNCED): SuppressionReason.HARD_BOUNCE,
    (Outcome.BOUNCED, Reason.INVALID_ADDRESS): SuppressionReason.HARD_BOUNCE,
    # They told the provider: STOP by SMS, a block of the sender on WhatsApp.
    (Outcome.REJECTED, Reason.UNSUBSCRIBED): SuppressionReason.UNSUBSCRIBE,
}
"""What a delivery's end says of the address, by outcome and reason; any other says nothing."""

# RFC 5321, 4.2.3: the mailbox is full, and may be emptied.
_MAILBOX_FULL = "552"

# Devices are disabled instead (`gateway.deliveries.dead_devices`).
_CHANNELS = [name for name, c in CHANNELS.items() if c.address is not AddressKind.DEVICE]

# The addresses are those that were sent to; where they were cleared since, there is nothing to say.
# A test key's outcomes are made to order and say nothing of anybody.
_KEEP_ADDRESSES = """
    INSERT INTO suppressions_addressreport
        (organization_id, channel, address, reason, source, note, created_at, attempts, due_at)
    SELECT n.organization_id, n.channel, address ->> 'value', report.reason, report.source,
           report.note, %(at)s, 0, %(at)s
    FROM json_to_recordset(%(reports)s::json) AS report (
        notification uuid, reason text, source text, note text
    )
    JOIN notifications_notification n ON n.id = report.notification
    JOIN notifications_notificationcontent c ON c.notification_id = n.id
    CROSS JOIN LATERAL jsonb_array_elements(c.addresses) AS address
    WHERE n.mode = 'live' AND n.channel = ANY(%(channels)s)
"""
_encoder = msgspec.json.Encoder()


class SuppressionReport(msgspec.Struct, frozen=True):
    """A notification whose address gets nothing more; `source` is who said so, as in a log."""

    notification: UUID
    reason: SuppressionReason
    source: str
    note: str = ""


def report_addresses(connection: Connection, events: Sequence[ReadEvent], *, at: datetime) -> None:
    """Keep what these events, none of them a repeat, teach. Raises psycopg.Error."""
    suppressions = [
        SuppressionReport(read.notification, reason, read.event.provider, read.event.error_code)
        for read in events
        if (reason := suppression_reason(read.event)) is not None
    ]
    keep_suppressions(connection, suppressions, at=at)


def keep_suppressions(
    connection: Connection, reports: Sequence[SuppressionReport], *, at: datetime
) -> None:
    """In the caller's transaction; told within seconds of its commit. Raises psycopg.Error."""
    if reports:
        connection.execute(
            _KEEP_ADDRESSES,
            {"reports": _encoder.encode(reports).decode(), "at": at, "channels": _CHANNELS},
        )


def suppression_reason(event: DeliveryEvent) -> SuppressionReason | None:
    """Why the address of what was delivered gets nothing more; None where it still may."""
    if event.reason is None or event.error_code == _MAILBOX_FULL:
        return None
    return REASONS.get((event.outcome, event.reason))
