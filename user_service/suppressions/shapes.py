"""What the API shows of a suppression."""

from datetime import datetime

import msgspec

from carillon.contracts.suppressions import SuppressionReason
from user_service.suppressions.models import Suppression


class SuppressionShape(msgspec.Struct, frozen=True, kw_only=True):
    """A suppressed address; null where its user was erased: it is still not sent to."""

    suppression_id: str
    channel: str
    address: str | None
    reason: SuppressionReason
    source: str
    note: str
    created_at: datetime


class DeletedSuppressionShape(msgspec.Struct, frozen=True):
    """Which suppression was deleted."""

    suppression_id: str


def show_suppression(suppression: Suppression) -> SuppressionShape:
    """As it is stored."""
    return SuppressionShape(
        suppression_id=suppression.id,
        channel=suppression.channel,
        address=suppression.address or None,
        reason=SuppressionReason(suppression.reason),
        source=suppression.source,
        note=suppression.note,
        created_at=suppression.created_at,
    )
