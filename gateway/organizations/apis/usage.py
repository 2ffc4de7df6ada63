"""`/api/v1/organizations/me/usage/`: what of the quota and the limits is used."""

from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.messages import Mode
from carillon.contracts.status import Status
from carillon.web.envelope import success
from gateway.admission.claims import quota_keys
from gateway.admission.months import Month
from gateway.admission.scripts import RedisDown, scripts
from gateway.admission.views import ClientApi
from gateway.analytics.selectors import month_counts
from gateway.documentation import caller_refusals, refusals, shown
from gateway.notifications.counting import count_since
from gateway.organizations.apis.examples import USAGE
from gateway.organizations.key_records import KeyRecord
from gateway.organizations.limits import monthly_quota
from gateway.organizations.shapes import MinuteShape, QuotaShape, UsageShape

MESSAGE = "Usage retrieved"


class UsageApi(ClientApi):
    """The caller's month; any key may ask."""

    @extend_schema(
        operation_id="get_usage",
        summary="See what is used of your quota and limits",
        description=(
            "The quota is counted by calendar months in UTC, as it is enforced. `counts` are those "
            "of the live notifications accepted this month, by channel and by their status of now; "
            "a test key is shown the test ones, which use no quota. They follow within seconds. "
            "This call counts as a request."
        ),
        tags=["organization"],
        responses={
            200: shown(UsageShape, "The usage", USAGE, MESSAGE),
            **refusals(*caller_refusals()),
        },
    )
    def get(self, request: Request) -> Response:
        """The usage."""
        caller = self.caller
        month = Month.of(datetime.now(UTC))
        counts = month_counts(caller.organization_uuid, caller.mode.value, month.start, month.end)
        minute = self.limits[0]
        shape = UsageShape(
            mode=caller.mode.value,
            quota=_quota(caller, month, counts),
            requests_per_minute=MinuteShape(limit=minute.most, remaining=minute.remaining),
            counts=counts,
            total=sum(sum(by_status.values()) for by_status in counts.values()),
        )
        return success(shape, MESSAGE)


def _quota(caller: KeyRecord, month: Month, counts: dict[str, dict[str, int]]) -> QuotaShape:
    limit = monthly_quota(caller)
    if caller.mode is Mode.TEST:
        used = 0
    elif limit is None:
        # Nothing is counted where nothing is limited: all that were not refused.
        used = sum(
            count
            for by_status in counts.values()
            for status, count in by_status.items()
            if status != Status.REJECTED.value
        )
    else:
        used = _used(caller, month)
    return QuotaShape(
        month=month.name,
        limit=limit,
        used=used,
        remaining=None if limit is None else max(0, limit - used),
        resets_at=month.end,
    )


def _used(caller: KeyRecord, month: Month) -> int:
    """As admission counts: Redis, and PostgreSQL where it does not know."""
    counter, _ = quota_keys(caller.organization_id, month)
    try:
        counted = scripts().command("GET", counter)
    except RedisDown:
        counted = None
    if counted is not None:
        return int(counted)
    return count_since(caller.organization_uuid, month.start)
