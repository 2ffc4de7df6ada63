"""`/api/v1/notifications/`: accept, list, show, and the status of reference 003."""

from collections.abc import Sequence

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.web.bodies import parse_body
from carillon.web.envelope import success
from carillon.web.errors import ApiError, ValidationFailed
from carillon.web.openapi import request_body
from gateway.admission.entry import SplitKey
from gateway.admission.foresight import Foreseen
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
from gateway.notifications.apis import create, creating, examples, listing
from gateway.notifications.bodies import NotificationBody, StatusBody
from gateway.notifications.lookup import look_up
from gateway.notifications.metrics import count_accepted, count_refused
from gateway.notifications.planning import plan_notification
from gateway.notifications.presentation import show_detail, show_status, show_summary
from gateway.notifications.selectors import get_notification, get_status
from gateway.notifications.shapes import DetailShape, StatusShape
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

    def foreseen(self, request: Request) -> Foreseen | None:
        """What a notification takes."""
        return self.body.foreseen() if request.method == "POST" else None

    @extend_schema(
        operation_id="create_notification",
        summary="Send a notification",
        description=creating.DESCRIPTION,
        tags=_TAGS,
        parameters=creating.PARAMETERS,
        request=request_body(NotificationBody),
        examples=creating.EXAMPLES,
        responses=creating.ANSWERS,
    )
    def post(self, request: Request) -> HttpResponse:
        """Accept a notification, or say what would become of it."""
        channel, held = "", self.entry.held
        try:
            asked = create.read_asked(request, self.caller, self.body)
            channel = asked.body.notification_type
            lookup = look_up(asked.wanted, self.entry.entries)
            if asked.body.dry_run:
                return create.show_plan(plan_notification(asked, lookup, self.limits[0]))
            accepted = accept_notification(asked, lookup, held)
        except ApiError as refusal:
            count_refused(channel, refusal.code)
            raise
        finally:
            if held is not None:
                held.give_back()
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
        caller = self.caller
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
        description=(
            "`attempts` has each try at a provider and what came of it, `timeline` each status "
            "with its time, `engagement` what its recipient did, `fallback` what was sent on "
            "another channel because it did not arrive, or why nothing was. The recipient is "
            "masked unless the key has the scope `read`."
        ),
        tags=_TAGS,
        parameters=[path_parameter("notification_id", examples.NOTIFICATION_ID, "Its id.")],
        responses={
            200: shown(DetailShape, "The notification", examples.DETAIL, "Notification retrieved"),
            **refusals(*caller_refusals("read", "send"), errors.NotificationNotFound()),
        },
    )
    def get(self, request: Request, notification_id: str) -> Response:
        """All of it."""
        caller = self.caller
        found = get_notification(caller.organization_id, notification_id)
        return success(show_detail(found, masked=_is_masked(caller)), "Notification retrieved")


class NotificationStatusApi(ClientApi):
    """The status of one notification, by POST."""

    scopes = {"POST": _READERS}

    @extend_schema(
        operation_id="check_notification_status",
        summary="Check a notification's status",
        description="The short answer: where it is, and the times that say so.",
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
        found = get_status(self.caller.organization_id, body.notification_id)
        return success(show_status(found), "Notification status retrieved")


def _is_masked(caller: KeyRecord) -> bool:
    return not caller.allows(Scope.READ.value)
