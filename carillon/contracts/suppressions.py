"""How an address on a channel is named where it must not be written out."""

import hashlib


def address_digest(organization_id: str, channel: str, address: str) -> bytes:
    """32 bytes, the same for `address` in any case."""
    text = f"{organization_id}\n{channel}\n{address.lower()}"
    return hashlib.sha256(text.encode()).digest()
