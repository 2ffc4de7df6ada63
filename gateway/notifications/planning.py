"""Plans a notification: everything that accepting it would find out, and nothing that it would do.

It goes the way of `acceptance`, over the same functions, but on after a refusal.
"""

from datetime import UTC, datetime

from carillon.contracts import ids
from carillon.contracts.channels import CHANNELS, ContentKind
from carillon.contracts.messages import Content, TextContent
from carillon.observability.masking import mask_address
from carillon.rendering.sms import segments
from carillon.web.errors import ApiError
from gateway.admission import reservations
from gateway.admission.claims import Claim
from gateway.admission.forecast import Forecast, forecast
from gateway.admission.limits import LimitState
from gateway.notifications.acceptance import claim_of
from gateway.notifications.asked import Asked
from gateway.notifications.composition import Draft, draft, is_otp
from gateway.notifications.fallback_plans import plan_fallback
from gateway.notifications.lookup import Lookup
from gateway.notifications.plan_shapes import (
    LimitShape,
    PlanShape,
    QuotaShape,
    SegmentsShape,
)
from gateway.notifications.verdicts import outcome, provider_order, rejections, show_refusal
from gateway.organizations.limits import monthly_quota


def plan_notification(asked: Asked, lookup: Lookup, minute: LimitState) -> PlanShape:
    """What would become of it now. `minute` is the organization's limit after this request.

    Raises UserServiceUnavailable or TemplateServiceUnavailable: then nobody knows.
    """
    now = datetime.now(UTC)
    refused: list[ApiError] = []
    drafted = draft(asked, lookup, now, refused.append)
    claim = _claim(asked, drafted, now)
    limits = forecast(claim)
    refusals = [
        *(show_refusal(error) for error in refused),
        *rejections(drafted, limits),
        *(show_refusal(error) for error in _exceeded(claim, limits)),
    ]
    status, reason = outcome(drafted, refusals)
    decision, recipient, template = drafted.decision, drafted.recipient, drafted.template
    will_be_sent = not refusals and decision is not None
    order = provider_order(asked.caller, asked.body.notification_type)
    return PlanShape(
        status=status,
        reason=reason,
        refusals=refusals,
        send_at=(decision.scheduled_at or now) if will_be_sent and decision else None,
        expires_at=asked.body.expires_at,
        notification_type=asked.body.notification_type,
        user_id=recipient.user_id or None if recipient else None,
        recipients=[mask_address(a.value) for a in recipient.addresses] if recipient else [],
        template_code=asked.body.template_code or None,
        template_version=drafted.version,
        language=drafted.language or None,
        content=drafted.content,
        category=drafted.category or None,
        is_essential=decision.is_essential if decision else None,
        lane=drafted.lane,
        priority=asked.body.priority,
        delivery=template.delivery if template else None,
        providers=[*order.own, *order.platforms],
        stand_ins=list(order.platforms) if order.own else [],
        sms=_segments(asked.body.notification_type, drafted.content),
        quota=_quota(limits),
        fallback=plan_fallback(asked, drafted, now),
        limits=[_limit(state) for state in (minute, limits.recipient, limits.cap) if state],
    )


def _claim(asked: Asked, drafted: Draft, now: datetime) -> Claim:
    notification_id = ids.new_uuid()
    recipient, decision = drafted.recipient, drafted.decision
    if recipient is None or decision is None:
        # Who it is for is not known: the quota is.
        return Claim(
            notification_id=notification_id,
            organization_id=asked.caller.organization_id,
            request_id="",
            at=now,
            quota=monthly_quota(asked.caller),
            recipient=None,
            channel=asked.body.notification_type,
        )
    return claim_of(
        asked,
        notification_id,
        at=now,
        recipient=recipient,
        cap=decision.cap,
        send_at=decision.scheduled_at,
        is_otp=drafted.template is not None and is_otp(drafted.template),
    )


def _exceeded(claim: Claim, limits: Forecast) -> list[ApiError]:
    found: list[ApiError] = []
    if limits.recipient is not None and not limits.recipient.allowed:
        found.append(reservations.recipient_limit_exceeded(limits.recipient.wait))
    if limits.quota is not None and not limits.quota.remaining:
        found.append(reservations.exceeded(claim))
    return found


def _segments(channel: str, content: Content | None) -> SegmentsShape | None:
    """Of SMS alone: the other channel of texts has no segments."""
    if CHANNELS[channel].content is not ContentKind.TEXT or channel != "sms":
        return None
    if not isinstance(content, TextContent):
        return None
    found = segments(content.body)
    return SegmentsShape(
        encoding=found.encoding.value,
        units=found.units,
        segments=found.segments,
        forced_by=found.forced_by or None,
    )


def _quota(limits: Forecast) -> QuotaShape | None:
    quota = limits.quota
    if quota is None:
        return None
    return QuotaShape(limit=quota.most, used=quota.used, remaining=quota.remaining)


def _limit(state: LimitState) -> LimitShape:
    return LimitShape(
        policy=state.policy, limit=state.most, seconds=state.window, remaining=state.remaining
    )
