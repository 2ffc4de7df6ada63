"""What decides on a plan: refusals, what the first of them makes of it, and who would deliver."""

import msgspec
from django.conf import settings

from carillon.contracts.messages import Mode
from carillon.contracts.status import Status
from carillon.errors import Reason
from carillon.web.errors import ApiError
from gateway.admission.forecast import Forecast
from gateway.notifications.composition import Draft
from gateway.notifications.plan_shapes import PlanStatus, RefusalShape
from gateway.organizations.key_records import KeyRecord
from gateway.organizations.selectors import platform_stands_in
from gateway.provider_accounts.selectors import own_providers

SANDBOX = ("sandbox",)


def show_refusal(error: ApiError) -> RefusalShape:
    """An answer that is not a success."""
    return RefusalShape(
        error=error.code,
        message=error.message,
        http_status=error.status,
        details=dict(error.details or {}),
    )


def rejections(drafted: Draft, limits: Forecast) -> list[RefusalShape]:
    """What is stored, and not sent."""
    decision = drafted.decision
    found = [(each.reason, each.message) for each in decision.objections] if decision else []
    cap = limits.cap
    if cap is not None and not cap.allowed:
        message = (
            f"The recipient gets at most {cap.most} notifications of the category "
            f"{drafted.category!r} in {cap.window} seconds."
        )
        found.append((Reason.FREQUENCY_CAPPED, message))
    return [
        RefusalShape(error=reason.value, message=text, http_status=202) for reason, text in found
    ]


def outcome(drafted: Draft, refusals: list[RefusalShape]) -> tuple[PlanStatus, str | None]:
    """What the first refusal makes of it."""
    if refusals:
        first = refusals[0]
        is_stored = first.http_status == 202
        return (PlanStatus.REJECTED if is_stored else PlanStatus.REFUSED), first.error
    decision = drafted.decision
    if decision is None:
        raise AssertionError("something is missing and nothing was refused")
    status = PlanStatus.SCHEDULED if decision.status is Status.SCHEDULED else PlanStatus.ACCEPTED
    return status, decision.reason or None


class ProviderNames(msgspec.Struct, frozen=True):
    """In their order: the organization's own, then the platform's where those may follow."""

    own: tuple[str, ...]
    platforms: tuple[str, ...]


def provider_order(caller: KeyRecord, channel: str) -> ProviderNames:
    """Who is asked to deliver on a channel."""
    if caller.mode is Mode.TEST:
        return ProviderNames((), SANDBOX)
    platforms: tuple[str, ...] = settings.GATEWAY.providers[channel]
    own = own_providers(caller.organization_id, channel)
    if own and not platform_stands_in(caller.organization_id, channel):
        return ProviderNames(own, ())
    return ProviderNames(own, platforms)
