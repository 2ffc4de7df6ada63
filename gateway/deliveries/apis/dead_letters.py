"""`GET /api/v1/dead-letters/`: what failed for good."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.channels import CHANNELS
from carillon.errors import Reason
from carillon.web.envelope import page_meta, success
from carillon.web.errors import ValidationFailed
from carillon.web.paging import LIMIT_DEFAULT, LIMIT_MOST, PAGE_MOST, requested_page
from carillon.web.queries import Query
from gateway.admission.views import ClientApi
from gateway.deliveries.apis import examples
from gateway.deliveries.selectors import DeadLetterFilters, list_dead_letters
from gateway.deliveries.shapes import DeadLetterShape, show_dead_letter
from gateway.documentation import caller_refusals, query_parameter, refusals, shown
from gateway.organizations.models import Scope

_TIME = {"type": "string", "format": "date-time"}
_REASONS = tuple(reason.value for reason in Reason)


class DeadLettersApi(ClientApi):
    """The organization's dead letters."""

    scopes = {"GET": (Scope.READ,)}

    @extend_schema(
        operation_id="list_dead_letters",
        summary="List dead letters",
        description=(
            "A notification that failed or bounced leaves a dead letter; the newest come first. "
            "A replayed one is kept: `notification_status` says how it went. If it fails again, "
            "the dead letter tells of that failure and counts as not replayed."
        ),
        tags=["dead letters"],
        parameters=[
            query_parameter("channel", {"enum": list(CHANNELS)}, "On this channel."),
            query_parameter("reason", {"enum": list(_REASONS)}, "Failed for this reason."),
            query_parameter("template_code", {"type": "string"}, "From this template."),
            query_parameter("created_after", _TIME, "Failed from this time on."),
            query_parameter("created_before", _TIME, "Failed before this time."),
            query_parameter(
                "replayed", {"type": "boolean"}, "Whether it was replayed since it failed."
            ),
            query_parameter(
                "page", {"type": "integer", "minimum": 1, "maximum": PAGE_MOST}, "From 1."
            ),
            query_parameter(
                "limit",
                {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": LIMIT_MOST,
                    "default": LIMIT_DEFAULT,
                },
                "Dead letters on a page.",
            ),
        ],
        responses={
            200: shown(
                list[DeadLetterShape],
                "A page of dead letters",
                [examples.DEAD_LETTER],
                "Dead letters retrieved",
                limit=20,
            ),
            **refusals(
                *caller_refusals("read"),
                ValidationFailed(details={"replayed": ["Expected one of true, false."]}),
            ),
        },
    )
    def get(self, request: Request) -> Response:
        """A page of dead letters."""
        page = requested_page(request)
        filters, replayed = _requested(request)
        found = list_dead_letters(self.caller.organization_id, filters)
        if replayed is not None:
            found = found.filter(replayed_at__isnull=not replayed)
        meta = page_meta(total=found.count(), limit=page.limit, page=page.number)
        data = [show_dead_letter(letter) for letter in found[page.slice]]
        return success(data, "Dead letters retrieved", meta=meta)


def _requested(request: Request) -> tuple[DeadLetterFilters, bool | None]:
    """The filters, and whether they shall have been replayed. Raises ValidationFailed."""
    query = Query(
        request,
        "channel",
        "reason",
        "template_code",
        "created_after",
        "created_before",
        "replayed",
    )
    filters = DeadLetterFilters(
        channel=query.choice("channel", tuple(CHANNELS)),
        reason=query.choice("reason", _REASONS),
        template_code=query.text("template_code"),
        created_after=query.time("created_after"),
        created_before=query.time("created_before"),
    )
    replayed = query.flag("replayed")
    query.check()
    return filters, replayed
