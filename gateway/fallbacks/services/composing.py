"""What a fallback would say to whom, as if its client asked for it now."""

from datetime import datetime

import msgspec

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import Mode
from carillon.contracts.status import Status
from carillon.web.errors import ApiError, ServiceUnavailable
from gateway.fallbacks.asking import ask_instead
from gateway.fallbacks.promises import Promise
from gateway.fallbacks.services.claiming import NotSent
from gateway.notifications.asked import Asked
from gateway.notifications.composition import Composition, compose
from gateway.notifications.lookup import look_up
from gateway.notifications.models import Notification
from gateway.organizations.key_records import KeyRecord
from gateway.organizations.models import Organization


def asked_again(parent: Notification, promise: Promise) -> Asked | NotSent:
    """The request for the other channel; the parent comes with organization and content."""
    if not parent.user_id and not promise.to:
        message = f"The request named an address, and none that {promise.channel} could use."
        return NotSent("no_address", message)
    return ask_instead(
        promise,
        parent,
        caller=caller_of(parent.organization, Mode(parent.mode)),
        correlation_id=parent.correlation_id,
        traceparent=parent.content.traceparent,
    )


def compose_again(asked: Asked, parent: Notification, now: datetime) -> Composition | NotSent:
    """All that admission checks, of the other channel. Raises ServiceUnavailable."""
    try:
        composed = compose(asked, look_up(asked.wanted, ()), now)
    except ServiceUnavailable:
        raise
    except ApiError as refusal:
        return NotSent(refusal.code, refusal.message)
    if composed.status is Status.REJECTED:
        return NotSent(composed.reason)
    if parent.lane == Lane.BULK:
        # A campaign's fallbacks wait where the campaign did.
        return msgspec.structs.replace(composed, lane=Lane.BULK, fallback=None)
    # It is followed once: what falls back does so no further.
    return msgspec.structs.replace(composed, fallback=None)


def caller_of(organization: Organization, mode: Mode) -> KeyRecord:
    """The organization, without any key of its own: it is nobody's request."""
    return KeyRecord(
        key_id="",
        prefix="",
        digest=b"",
        mode=mode,
        scopes=(),
        is_active=True,
        expires_at=None,
        revision=0,
        organization_id=str(organization.pk),
        organization_name=organization.name,
        organization_is_active=organization.is_active,
        plan=organization.plan,
        monthly_quota=organization.monthly_quota,
    )
