"""`/api/v1/batches/`: list, progress, cancel."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.web.bodies import expect_no_body
from carillon.web.envelope import page_meta, success
from carillon.web.errors import ValidationFailed
from carillon.web.paging import LIMIT_DEFAULT, LIMIT_MOST, PAGE_MOST, requested_page
from carillon.web.queries import Query
from gateway.admission.views import ClientApi
from gateway.batches.apis import examples
from gateway.batches.errors import BatchNotFound
from gateway.batches.presentation import show_batch, show_cancelled, show_progress
from gateway.batches.selectors import BatchFilters, get_batch, list_batches, progress_of
from gateway.batches.services.cancellation import cancel_batch
from gateway.batches.shapes import BatchShape, CancelledShape, ProgressShape
from gateway.documentation import (
    caller_refusals,
    path_parameter,
    query_parameter,
    refusals,
    shown,
)
from gateway.notifications.apis.refusals import CHANGING, NO_FIELDS
from gateway.notifications.services.locking import Authority
from gateway.organizations.models import Scope

LISTED = "Batches retrieved"
SHOWN = "Batch retrieved"
CANCELLED = "What was not handed over yet is cancelled"

_READERS = (Scope.READ, Scope.SEND)
_TAGS = ["batches"]
_PATH = path_parameter("batch_id", examples.BATCH_ID, "Its id.")
_TIME = {"type": "string", "format": "date-time"}


class BatchesApi(ClientApi):
    """The organization's batches."""

    scopes = {"GET": _READERS}

    @extend_schema(
        operation_id="list_batches",
        summary="List batches",
        description="The newest first, as they were accepted; fetch one to see how far it is.",
        tags=_TAGS,
        parameters=[
            query_parameter("request_id", {"type": "string"}, "Of this request_id."),
            query_parameter("template_code", {"type": "string"}, "From this template."),
            query_parameter("created_after", _TIME, "From this time on."),
            query_parameter("created_before", _TIME, "Before this time."),
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
                "Batches on a page.",
            ),
        ],
        responses={
            200: shown(list[BatchShape], "A page of batches", [examples.BATCH], LISTED, limit=20),
            **refusals(
                *caller_refusals("read", "send"),
                ValidationFailed(details={"limit": ["Expected a whole number from 1 to 100."]}),
            ),
        },
    )
    def get(self, request: Request) -> Response:
        """A page of batches."""
        page = requested_page(request)
        query = Query(request, "request_id", "template_code", "created_after", "created_before")
        filters = BatchFilters(
            request_id=query.text("request_id"),
            template_code=query.text("template_code"),
            created_after=query.time("created_after"),
            created_before=query.time("created_before"),
        )
        query.check()
        found = list_batches(self.caller.organization_id, filters)
        meta = page_meta(total=found.count(), limit=page.limit, page=page.number)
        return success([show_batch(batch) for batch in found[page.slice]], LISTED, meta=meta)


class BatchApi(ClientApi):
    """One batch."""

    scopes = {"GET": _READERS}

    @extend_schema(
        operation_id="get_batch",
        summary="See how far a batch is",
        description=(
            "`counts` has its notifications by status. `state` is `pending` while none was handed "
            "over, `sending` while something is left to do, `done` once nothing is (what is `sent` "
            "waits for the provider's receipt alone), and `cancelled` once it was. "
            "`GET /api/v1/notifications/?batch_id=…` lists the notifications."
        ),
        tags=_TAGS,
        parameters=[
            _PATH,
            query_parameter(
                "refusals", {"type": "boolean"}, "Show the refusals of the answer again."
            ),
        ],
        responses={
            200: shown(ProgressShape, "The batch", examples.PROGRESS, SHOWN),
            **refusals(
                *caller_refusals("read", "send"),
                ValidationFailed(details={"refusals": ["Expected one of true, false."]}),
                BatchNotFound(),
            ),
        },
    )
    def get(self, request: Request, batch_id: str) -> Response:
        """Where it is."""
        query = Query(request, "refusals")
        with_refusals = query.flag("refusals") or False
        query.check()
        batch = get_batch(self.caller.organization_id, batch_id)
        shape = show_progress(batch, progress_of(batch), refusals=with_refusals)
        return success(shape, SHOWN)


class BatchCancelApi(ClientApi):
    """Takes back what of a batch is not sent yet."""

    scopes = {"POST": (Scope.SEND,)}

    @extend_schema(
        operation_id="cancel_batch",
        summary="Cancel a batch",
        description=(
            "Every notification of it that is `scheduled`, `accepted` and not yet handed over, or "
            "`retrying`, is cancelled as a single one is; what was never queued costs no quota. "
            "`cancelled` says how many of the batch are, `gone` how many it came too late for. "
            "Safe to repeat; after a 409 `notification_busy` a repeat cancels what is left."
        ),
        tags=_TAGS,
        parameters=[_PATH],
        request=None,
        responses={
            200: shown(CancelledShape, "It is cancelled", examples.CANCELLED, CANCELLED),
            **refusals(*caller_refusals("send"), *NO_FIELDS, BatchNotFound(), *CHANGING),
        },
    )
    def post(self, request: Request, batch_id: str) -> Response:
        """Cancel it."""
        expect_no_body(request)
        batch, progress = cancel_batch(Authority.of(self.caller), batch_id)
        return success(show_cancelled(batch, progress), CANCELLED)
