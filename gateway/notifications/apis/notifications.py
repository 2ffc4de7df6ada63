"""`/api/v1/notifications/`: accept, list, show, and the status of reference 003."""

from collections.abc import Sequence

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.web.bodies import parse_body
from carillon.web.envelope import success
from carillon.web.errors import ApiError, ValidationFailed
from carillon.web.openapi import request_body
from gateway.admission.entry import SplitKey
from gateway.admission.errors import QuotaExceeded, RequestIDConflict, RequestInProgress
from gateway.admission.views import ClientApi
from gateway.documentation import (
    body_refusals,
    caller_refusals,
    path_parameter,
    refusals,
    sent,
    shown,
)
from gateway.notifications import errors
from gateway.notifications.acceptance import accept_notification
from gateway.notifications.apis import create, examples, listing
from gateway.notifications.bodies import NotificationBody, StatusBody
from gateway.notifications.lookup import look_up
from gateway.notifications.metrics import count_accepted, count_refused
from gateway.notifications.presentation import show_detail, show_status, show_summary
from gateway.notifications.selectors import get_notification, get_status
from gateway.notifications.shapes import AcceptedShape, DetailShape, StatusShape
from gateway.organizations.key_records import KeyRecord
from gateway.organizations.models import Scope

_READERS = (Scope.READ, Scope.SEND)
_TAGS = ["notifications"]


class NotificationsApi(ClientApi):
    """Accept one; list them."""

    scopes = {"POST": (Scope.SEND,), "GET": _READERS}
    body: create.RequestBody

    def cache_keys(self, request: Request) -> Sequence[SplitKey]:
        """Those of what a request to notify depends on."""
        self.body = create.RequestBody(request)
        return self.body.cache_keys() if request.method == "POST" else ()

    @extend_schema(
        operation_id="create_notification",
        summary="Send a notification",
        description=(
            "Answers 202 once the notification is stored and will be sent, whatever fails "
            "afterwards. Send `user_id` or `to`, and `template_code` with `variables` or "
            "`content`. A repeat of a `request_id` (or `Idempotency-Key` header) with the same "
            "body answers 200 with the first notification and never sends twice. A user who "
            "switched the channel or the category off, or whose address is suppressed, gets "
            "nothing: the status is `rejected`, a `reason` says why, and it costs no quota."
        ),
        tags=_TAGS,
        parameters=[
            OpenApiParameter(
                create.IDEMPOTENCY_HEADER,
                str,
                OpenApiParameter.HEADER,
                description="The same as `request_id`, in the header of the IETF draft.",
            )
        ],
        request=request_body(NotificationBody),
        examples=[
            sent("An email from a template", examples.FROM_TEMPLATE),
            sent("An SMS to a number", examples.DIRECT_SMS),
            sent("A push notification later", examples.SCHEDULED_PUSH),
        ],
        responses={
            202: shown(AcceptedShape, "It will be sent", examples.ACCEPTED, create.ACCEPTED),
            200: shown(
                AcceptedShape,
                "This request_id was answered before",
                examples.ACCEPTED,
                create.REPLAYED,
            ),
            **refusals(
                *caller_refusals("send"),
                *body_refusals(
                    "notification_type", {"priority": ["Expected a whole number <= 10."]}
                ),
                RequestInProgress(),
                RequestIDConflict(),
                errors.TemplateNotFound("welcome_email"),
                errors.TemplateTypeMismatch("sms", "email"),
                errors.MissingVariables(["name"]),
                errors.UserNotFound("customer-4711"),
                errors.NoAddress("email address"),
                QuotaExceeded(1_000, 86_400),
                errors.UserServiceUnavailable(),
                errors.TemplateServiceUnavailable(),
            ),
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Accept a notification."""
        channel = ""
        try:
            asked = create.read_asked(request, self.caller(request), self.body)
            channel = asked.body.notification_type
            accepted = accept_notification(asked, look_up(asked.wanted, self.entries))
        except ApiError as refusal:
            count_refused(channel, refusal.code)
            raise
        count_accepted(channel, accepted)
        if accepted.month is not None:
            self.limits = (*self.limits, accepted.month)
        return create.show_accepted(accepted)

    @extend_schema(
        operation_id="list_notifications",
        summary="List notifications",
        description=listing.DESCRIPTION,
        tags=_TAGS,
        parameters=listing.PARAMETERS,
        responses={
            200: listing.ANSWER,
            **refusals(
                *caller_refusals("read", "send"),
                ValidationFailed(details={"status": ["Expected one of accepted, queued, …"]}),
            ),
        },
    )
    def get(self, request: Request) -> Response:
        """A page of notifications."""
        caller = self.caller(request)
        page = listing.requested_listing(request, caller.organization_id)
        masked = _is_masked(caller)
        data = [show_summary(notification, masked=masked) for notification in page.found]
        return success(data, listing.MESSAGE, meta=page.meta)


class NotificationApi(ClientApi):
    """One notification."""

    scopes = {"GET": _READERS}

    @extend_schema(
        operation_id="get_notification",
        summary="Fetch a notification with its attempts and timeline",
        tags=_TAGS,
        parameters=[path_parameter("notification_id", examples.NOTIFICATION_ID, "Its id.")],
        responses={
            200: shown(DetailShape, "The notification", examples.DETAIL, "Notification retrieved"),
            **refusals(*caller_refusals("read", "send"), errors.NotificationNotFound()),
        },
    )
    def get(self, request: Request, notification_id: str) -> Response:
        """All of it."""
        caller = self.caller(request)
        found = get_notification(caller.organization_id, notification_id)
        return success(show_detail(found, masked=_is_masked(caller)), "Notification retrieved")


class NotificationStatusApi(ClientApi):
    """The status of one notification, by POST."""

    scopes = {"POST": _READERS}

    @extend_schema(
        operation_id="check_notification_status",
        summary="Check a notification's status",
        tags=_TAGS,
        request=request_body(StatusBody),
        examples=[sent("By its id", {"notification_id": examples.NOTIFICATION_ID})],
        responses={
            200: shown(StatusShape, "Its status", examples.STATUS, "Notification status retrieved"),
            **refusals(
                *caller_refusals("read", "send"),
                *body_refusals("notification_id", {"notification_id": ["Expected a string."]}),
                errors.NotificationNotFound(),
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Where it is."""
        body = parse_body(request, StatusBody)
        found = get_status(self.caller(request).organization_id, body.notification_id)
        return success(show_status(found), "Notification status retrieved")


def _is_masked(caller: KeyRecord) -> bool:
    return not caller.allows(Scope.READ.value)
