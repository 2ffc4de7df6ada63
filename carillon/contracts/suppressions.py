"""Why an address gets nothing more, and how it is named where it must not be written out."""

import hashlib
from enum import StrEnum


class SuppressionReason(StrEnum):
    """Why nothing is sent to an address."""

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    MANUAL = "manual"


def address_digest(organization_id: str, channel: str, address: str) -> bytes:
    """32 bytes, the same for `address` in any case."""
    text = f"{organization_id}\n{channel}\n{address.lower()}"
    return hashlib.sha256(text.encode()).digest()
