"""What reports come to, for the tests of what each service says."""

from carillon.contracts.suppressions import SuppressionReason
from carillon.errors import Reason
from gateway.callbacks.events import Kind

HARD = SuppressionReason.HARD_BOUNCE
COMPLAINT = SuppressionReason.COMPLAINT
LEFT = SuppressionReason.UNSUBSCRIBE

Expected = tuple[Kind, Reason | None, SuppressionReason | None] | None

DELIVERED: Expected = (Kind.DELIVERED, None, None)
DEFERRED: Expected = (Kind.DEFERRED, None, None)
OPENED: Expected = (Kind.OPENED, None, None)
CLICKED: Expected = (Kind.CLICKED, None, None)
COMPLAINED: Expected = (Kind.COMPLAINED, None, COMPLAINT)
UNSUBSCRIBED: Expected = (Kind.UNSUBSCRIBED, None, LEFT)
HARD_BOUNCE: Expected = (Kind.BOUNCED, Reason.BOUNCED, HARD)
SOFT_BOUNCE: Expected = (Kind.BOUNCED, Reason.OTHER, None)
NO_ADDRESS: Expected = (Kind.BOUNCED, Reason.INVALID_ADDRESS, HARD)
