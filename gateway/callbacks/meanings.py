"""What most providers' reports come down to, in our vocabulary."""

from datetime import datetime
from typing import Final, NamedTuple

from carillon.contracts.suppressions import SuppressionReason
from carillon.errors import Reason
from gateway.callbacks.events import Kind, ProviderEvent


class Meaning(NamedTuple):
    """What happened, why, and whether the address gets nothing more."""

    kind: Kind
    reason: Reason | None = None
    suppress: SuppressionReason | None = None


DELIVERED: Final = Meaning(Kind.DELIVERED)
DEFERRED: Final = Meaning(Kind.DEFERRED)
OPENED: Final = Meaning(Kind.OPENED)
CLICKED: Final = Meaning(Kind.CLICKED)
HARD_BOUNCE: Final = Meaning(Kind.BOUNCED, Reason.BOUNCED, SuppressionReason.HARD_BOUNCE)
NO_SUCH_ADDRESS: Final = Meaning(
    Kind.BOUNCED, Reason.INVALID_ADDRESS, SuppressionReason.HARD_BOUNCE
)
SOFT_BOUNCE: Final = Meaning(Kind.BOUNCED, Reason.OTHER)
BLOCKED: Final = Meaning(Kind.BOUNCED, Reason.BLOCKED)
TAKEN_FOR_SPAM: Final = Meaning(Kind.BOUNCED, Reason.SPAM)
COMPLAINED: Final = Meaning(Kind.COMPLAINED, None, SuppressionReason.COMPLAINT)
UNSUBSCRIBED: Final = Meaning(Kind.UNSUBSCRIBED, None, SuppressionReason.UNSUBSCRIBE)
FAILED: Final = Meaning(Kind.FAILED, Reason.OTHER)
REJECTED: Final = Meaning(Kind.REJECTED, Reason.OTHER)
# What a service does not even try, because of its own lists, which know what we did not.
REJECTED_BOUNCED: Final = Meaning(Kind.REJECTED, Reason.BOUNCED, SuppressionReason.HARD_BOUNCE)
REJECTED_COMPLAINED: Final = Meaning(Kind.REJECTED, Reason.SPAM, SuppressionReason.COMPLAINT)
REJECTED_UNSUBSCRIBED: Final = Meaning(
    Kind.REJECTED, Reason.UNSUBSCRIBED, SuppressionReason.UNSUBSCRIBE
)
REJECTED_BLOCKED: Final = Meaning(Kind.REJECTED, Reason.BLOCKED)


def report(
    provider: str,
    message_id: str,
    meaning: Meaning,
    *,
    code: str = "",
    message: str = "",
    occurred_at: datetime | None = None,
    key: str = "",
) -> ProviderEvent:
    """The event; the provider's words are kept only where they explain a failure."""
    return ProviderEvent(
        provider=provider,
        provider_message_id=message_id,
        kind=meaning.kind,
        reason=meaning.reason,
        suppress=meaning.suppress,
        code=code,
        message=message if meaning.reason else "",
        occurred_at=occurred_at,
        key=key,
    )
