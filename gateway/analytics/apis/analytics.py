"""`/api/v1/notifications/analytics/`: what became of notifications, by time."""

from datetime import UTC, datetime, timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.channels import CHANNELS
from carillon.contracts.messages import Mode
from carillon.web.envelope import success
from carillon.web.errors import ValidationFailed
from carillon.web.queries import Query
from gateway.admission.views import ClientApi
from gateway.analytics.presentation import show_answer
from gateway.analytics.selectors import Bucket, GroupBy, Question, TooMuch, answer_question
from gateway.analytics.shapes import AnalyticsShape
from gateway.documentation import caller_refusals, query_parameter, refusals, shown
from gateway.organizations.key_records import KeyRecord
from gateway.organizations.models import Scope

MESSAGE = "Analytics retrieved"
# What is asked for where nothing is said, and what may be.
SPANS = {Bucket.HOUR: timedelta(days=1), Bucket.DAY: timedelta(days=30)}
LONGEST = {Bucket.HOUR: timedelta(days=31), Bucket.DAY: timedelta(days=366)}

_MODES = tuple(mode.value for mode in Mode)
_TIME = {"type": "string", "format": "date-time"}
_COUNTS: dict[str, Any] = {
    "total": 1_000,
    "by_status": {"queued": 10, "delivered": 970, "failed": 8, "bounced": 2, "rejected": 10},
    "delivery_rate": 0.9898,
    "time_to_delivery": {"count": 970, "median_seconds": 0.8212, "p95_seconds": 2.3427},
}
_EXAMPLE: dict[str, Any] = {
    "from": "2026-01-05T00:00:00Z",
    "to": "2026-01-06T00:00:00Z",
    "bucket": "hour",
    "mode": "live",
    "totals": _COUNTS,
    "groups": [{**_COUNTS, "channel": "email"}],
    "series": [{**_COUNTS, "channel": "email", "start": "2026-01-05T09:00:00Z"}],
}
_DESCRIPTION = """\
Counts by status, channel, template and time, from rollups that follow the notifications within
seconds (`ANALYTICS_INTERVAL`). A notification belongs to the bucket in which it was accepted, with
its status of now: a late receipt corrects the past. Buckets are in UTC; `from` and `to` are widened
to whole ones; buckets without notifications are left out.

`delivery_rate` is the share that was delivered of those that were delivered, failed, bounced or
expired: what was rejected (opted out, suppressed) or cancelled was not meant to arrive, and the
rest has not ended. `time_to_delivery` is counted from the 202, or from `scheduled_at`; its
quantiles come from merged histograms and are within 5 % of the true ones (from a millisecond on).
"""


class AnalyticsApi(ClientApi):
    """The organization's counts."""

    scopes = {"GET": (Scope.READ,)}

    @extend_schema(
        operation_id="get_analytics",
        summary="Count what became of notifications",
        description=_DESCRIPTION,
        tags=["notifications"],
        parameters=[
            query_parameter("from", _TIME, "Default: a day before `to`, with days a month."),
            query_parameter("to", _TIME, "Before this time; default: now."),
            query_parameter(
                "bucket",
                {"enum": [bucket.value for bucket in Bucket], "default": "hour"},
                "31 days of hours or 366 days at most.",
            ),
            query_parameter(
                "group_by",
                {
                    "enum": [
                        "channel",
                        "template_code",
                        "channel,template_code",
                        "template_code,channel",
                    ]
                },
                "`channel`, `template_code`, or both with a comma between them.",
            ),
            query_parameter("channel", {"enum": list(CHANNELS)}, "On this channel alone."),
            query_parameter("template_code", {"type": "string"}, "From this template alone."),
            query_parameter("mode", {"enum": list(_MODES)}, "Default: that of the key."),
        ],
        responses={
            200: shown(AnalyticsShape, "The counts", _EXAMPLE, MESSAGE),
            **refusals(
                *caller_refusals("read"),
                ValidationFailed(details={"to": ["Expected a time after from."]}),
            ),
        },
    )
    def get(self, request: Request) -> Response:
        """The counts."""
        question = _requested(request, self.caller)
        try:
            answer = answer_question(question)
        except TooMuch:
            raise ValidationFailed(
                details={"group_by": ["Too many points: ask for days, less time or one template."]}
            ) from None
        return success(show_answer(question, answer), MESSAGE)


def _requested(request: Request, caller: KeyRecord) -> Question:
    """Raises ValidationFailed."""
    query = Query(
        request, "from", "to", "bucket", "group_by", "channel", "template_code", "mode", paged=False
    )
    start, end = query.time("from"), query.time("to")
    bucket = Bucket(query.choice("bucket", tuple(Bucket)) or Bucket.HOUR)
    channel = query.choice("channel", tuple(CHANNELS))
    template_code = query.text("template_code")
    mode = query.choice("mode", _MODES) or caller.mode.value
    names = query.text("group_by").split(",") if query.text("group_by") else []
    if len(set(names)) < len(names) or not set(names) <= set(GroupBy):
        query.refuse("group_by", f"Expected {' or '.join(GroupBy)}, or both with a comma.")
    query.check()
    first, last = _span(start, end, bucket)
    return Question(
        organization=caller.organization_uuid,
        start=first,
        end=last,
        bucket=bucket,
        mode=mode,
        group_by=tuple(GroupBy(name) for name in names),
        channel=channel,
        template_code=template_code,
    )


def _span(
    start: datetime | None, end: datetime | None, bucket: Bucket
) -> tuple[datetime, datetime]:
    """In whole buckets. Raises ValidationFailed."""
    end = end or datetime.now(UTC)
    start = start or end - SPANS[bucket]
    if start >= end:
        raise ValidationFailed(details={"to": ["Expected a time after from."]})
    first, last = bucket.start_of(start), bucket.start_of(end)
    if last < end:
        last += bucket.length
    # One bucket more: the ends need not be on an edge.
    if last - first > LONGEST[bucket] + bucket.length:
        longest = LONGEST[bucket].days
        raise ValidationFailed(
            details={"from": [f"Expected at most {longest} days with a bucket of {bucket.value}."]}
        )
    return first, last
