"""What a key's organization may do."""

from django.conf import settings

from carillon.contracts.messages import Mode
from gateway.config import Plan
from gateway.organizations.key_records import KeyRecord


def monthly_quota(caller: KeyRecord) -> int | None:
    """Notifications a month; None is unlimited, as test keys are."""
    if caller.mode is Mode.TEST:
        return None
    if caller.monthly_quota is not None:
        return caller.monthly_quota
    plan: Plan = settings.GATEWAY.plans[caller.plan]
    return plan.monthly_quota
