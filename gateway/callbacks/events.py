"""What a provider's report says, in one vocabulary for all of them (django-anymail's)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Final

import msgspec

from carillon.contracts.messages import Outcome
from carillon.contracts.suppressions import SuppressionReason
from carillon.errors import Reason


class Kind(StrEnum):
    """What was said of a message."""

    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    REJECTED = "rejected"
    DEFERRED = "deferred"
    OPENED = "opened"
    CLICKED = "clicked"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


OUTCOMES: Final[Mapping[Kind, Outcome]] = {
    Kind.DELIVERED: Outcome.DELIVERED,
    Kind.BOUNCED: Outcome.BOUNCED,
    Kind.FAILED: Outcome.FAILED,
    Kind.REJECTED: Outcome.REJECTED,
}
"""What may move a status. Every other kind is kept beside it: a provider that defers a message
tries again itself."""

# The columns' widths.
PROVIDER_MESSAGE_ID_CHARACTERS: Final = 255
CODE_CHARACTERS: Final = 64
MESSAGE_CHARACTERS: Final = 500


class ProviderEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One report about one message.

    `suppress` says why the address gets nothing more; None where it still may. `occurred_at` is
    None where the provider names no time with an offset. `key` is the provider's own id of the
    report, by which a repetition is known; without one, what it says is its id.
    """

    provider: str
    provider_message_id: str
    kind: Kind
    reason: Reason | None = None
    suppress: SuppressionReason | None = None
    code: str = ""
    message: str = ""
    occurred_at: datetime | None = None
    key: str = ""

    def digest(self, organization: str = "") -> bytes:
        """16 bytes, the same for a repetition.

        `organization` is whose own account reported it: what it says is no repetition of what the
        platform's account said, nor of another organization's, or one could silence the other.
        """
        said = (
            (self.provider, self.key)
            if self.key
            else (
                self.provider,
                self.provider_message_id,
                self.kind.value,
                self.code,
                self.occurred_at.isoformat() if self.occurred_at else "",
            )
        )
        if organization:
            said = (organization, *said)
        return blake2b("\0".join(said).encode("utf-8", "replace"), digest_size=16).digest()
