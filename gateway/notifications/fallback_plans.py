"""Plans the fallback of a notification: what would follow if it did not arrive, as of now."""

from datetime import datetime

from carillon.observability.masking import mask_address
from carillon.web.errors import ApiError
from gateway.admission.forecast import Forecast
from gateway.fallbacks.asking import ask_instead
from gateway.fallbacks.promises import Promise
from gateway.notifications.asked import Asked
from gateway.notifications.composition import Draft, draft
from gateway.notifications.errors import NoAddress
from gateway.notifications.lookup import look_up
from gateway.notifications.plan_shapes import FallbackPlanShape, PlanStatus, RefusalShape
from gateway.notifications.verdicts import (
    outcome,
    provider_order,
    rejections,
    show_refusal,
)

# Limits and quota are those of that moment: nobody can tell.
_UNLIMITED = Forecast(None, None, None)


def plan_fallback(asked: Asked, drafted: Draft, now: datetime) -> FallbackPlanShape | None:
    """None where the template has no fallback.

    Raises UserServiceUnavailable or TemplateServiceUnavailable.
    """
    promise, template = drafted.fallback, drafted.template
    if promise is None or template is None:
        return None
    after = template.expect_receipt_within or None
    if not asked.body.user_id and not promise.to:
        refusals = [show_refusal(NoAddress(f"address that {promise.channel} could use"))]
        return _refused(promise, after, refusals)
    other = ask_instead(
        promise, asked.body, caller=asked.caller, correlation_id=asked.correlation_id
    )
    refused: list[ApiError] = []
    found = draft(other, look_up(other.wanted, ()), now, refused.append)
    refusals = [*map(show_refusal, refused), *rejections(found, _UNLIMITED)]
    status, reason = outcome(found, refusals)
    order = provider_order(asked.caller, promise.channel)
    recipient = found.recipient
    return FallbackPlanShape(
        channel=promise.channel,
        template_code=promise.template_code,
        after_seconds=after,
        status=status,
        reason=reason,
        refusals=refusals,
        recipients=[mask_address(a.value) for a in recipient.addresses] if recipient else [],
        content=found.content,
        providers=[*order.own, *order.platforms],
    )


def _refused(
    promise: Promise, after: int | None, refusals: list[RefusalShape]
) -> FallbackPlanShape:
    return FallbackPlanShape(
        channel=promise.channel,
        template_code=promise.template_code,
        after_seconds=after,
        status=PlanStatus.REFUSED,
        reason=refusals[0].error,
        refusals=refusals,
        recipients=[],
        content=None,
        providers=[],
    )
