"""`POST /api/v1/notifications/bulk/`: one message to many."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.web.bodies import read_object
from carillon.web.envelope import success
from carillon.web.errors import (
    ApiError,
    InvalidJSON,
    MissingFields,
    PayloadTooLarge,
    ValidationFailed,
)
from carillon.web.openapi import request_body
from carillon.web.postgresql.patience import renew
from gateway.admission.errors import RequestIDConflict, RequestInProgress
from gateway.admission.views import ClientApi
from gateway.batches.apis import examples
from gateway.batches.asked import BulkAsked
from gateway.batches.bodies import RECIPIENTS_MOST, BulkBody, read_bulk
from gateway.batches.errors import AllRefused, TooBusy
from gateway.batches.services.acceptance import accept_batch
from gateway.batches.shapes import BulkShape, Refusal
from gateway.batches.turns import own_turn
from gateway.documentation import caller_refusals, refusals, sent, shown
from gateway.notifications import errors
from gateway.notifications.apis.create import (
    REPLAYED_HEADER,
    correlation_of,
    traceparent_of,
)
from gateway.notifications.apis.request_ids import IDEMPOTENCY_HEADER, request_id_of
from gateway.notifications.bodies import check_notification
from gateway.notifications.inline import inline_content
from gateway.notifications.metrics import count_refused
from gateway.organizations.models import Scope

ACCEPTED = "Notifications accepted for processing; refusals say which were not, and why"
REPLAYED = "This request_id was answered before; this is its batch"


class BulkApi(ClientApi):
    """Accepts many at once. It counts as one request against the organization's limit."""

    scopes = {"POST": (Scope.SEND,)}

    @extend_schema(
        operation_id="create_batch",
        summary="Send one message to many recipients",
        description=(
            f"Up to {RECIPIENTS_MOST:,} recipients, each with variables of their own. What is "
            "wrong with one of them does not stop the others: 202 says how many will be sent "
            "(`accepted`), how many are stored and will not be, as a single call answers "
            "(`rejected`), and of each that was refused its index, with the error that a single "
            "call would answer. Only where all are refused the answer is 400, and nothing is "
            "stored. Everything else is all or nothing: after a 5xx nothing is stored. Quota and "
            "recipient limits count for each recipient; where the quota ends, the first are "
            "accepted. A repeat of the `request_id` (or `Idempotency-Key` header) with the same "
            "body answers 200 with the first answer and never sends twice; a recipient's own "
            "`request_id` does so for one of them (`replayed`). Bulk requests wait in a lane "
            "behind single notifications, except the categories otp and security."
        ),
        tags=["batches"],
        parameters=[
            OpenApiParameter(
                IDEMPOTENCY_HEADER,
                str,
                OpenApiParameter.HEADER,
                description="The same as `request_id`, in the header of the IETF draft.",
            )
        ],
        request=request_body(BulkBody),
        examples=[
            sent("A newsletter, later", examples.NEWSLETTER),
            sent("The same text to everybody", examples.INLINE),
        ],
        responses={
            202: shown(BulkShape, "It will be sent", examples.ACCEPTED, ACCEPTED),
            200: shown(
                BulkShape, "This request_id was answered before", examples.ACCEPTED, REPLAYED
            ),
            **refusals(
                *caller_refusals("send"),
                InvalidJSON("The body is not acceptable JSON: Expecting value at line 1 column 1."),
                MissingFields(
                    "Missing: recipients.", details={"recipients": ["This field is required."]}
                ),
                ValidationFailed(details={"recipients": ["Expected an array of length <= 10000."]}),
                AllRefused([Refusal(0, "user_not_found", "There is no user 'customer-4711'.")]),
                PayloadTooLarge("The body may have 50000000 bytes at most."),
                RequestInProgress(),
                RequestIDConflict(),
                errors.TemplateNotFound("newsletter"),
                errors.TemplateTypeMismatch("sms", "email"),
                errors.UserServiceUnavailable(),
                errors.TemplateServiceUnavailable(),
                TooBusy(),
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Accept them."""
        channel = ""
        try:
            _read_large(request)
            with own_turn():
                renew(settings.CARILLON.database_patience)
                asked = self._asked(request)
                channel = asked.shared.notification_type
                accepted = accept_batch(asked)
        except ApiError as refusal:
            count_refused(channel, refusal.code)
            raise
        if accepted.month is not None:
            self.limits = (*self.limits, accepted.month)
        if accepted.is_replay:
            return success(accepted.shape, REPLAYED, headers={REPLAYED_HEADER: "true"})
        return success(accepted.shape, ACCEPTED, status=202)

    def _asked(self, request: Request) -> BulkAsked:
        """The request, valid as a whole. Raises what is wrong with its body or headers."""
        value = read_object(request, limit=settings.GATEWAY.bulk_body_limit)
        shared, recipients = read_bulk(value)
        check_notification(shared)
        content = shared.content
        return BulkAsked(
            caller=self.caller,
            shared=shared,
            inline=None if content is None else inline_content(shared.notification_type, content),
            recipients=recipients,
            request_id=request_id_of(request, shared.request_id),
            correlation_id=correlation_of(request),
            traceparent=traceparent_of(request),
        )


def _read_large(request: Request) -> None:
    """Read the body before Django does, whose limit is for forms that people send.

    Too large a one is not read: `read_object` refuses it.
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    django_request: Any = request._request
    if length.isdigit() and int(length) <= settings.GATEWAY.bulk_body_limit:
        django_request._body = django_request.read()
