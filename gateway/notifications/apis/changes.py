"""`/api/v1/notifications/{id}/…`: cancel, retry, change and delete what is stored."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from carillon.contracts.status import Status
from carillon.web.bodies import expect_no_body, parse_body
from carillon.web.envelope import success
from carillon.web.errors import InvalidJSON, PayloadTooLarge, ValidationFailed
from carillon.web.openapi import request_body
from gateway.admission.views import ClientApi
from gateway.deliveries.services.replay import retry_notification
from gateway.documentation import caller_refusals, path_parameter, refusals, sent, shown
from gateway.notifications import errors
from gateway.notifications.apis import examples
from gateway.notifications.apis.notifications import NotificationApi
from gateway.notifications.apis.refusals import CHANGING, NO_FIELDS, SENDING_AGAIN
from gateway.notifications.change_bodies import ChangeBody, check_change
from gateway.notifications.change_errors import (
    ContentCleared,
    NotCancellable,
    NotChangeable,
    NotDeletable,
)
from gateway.notifications.change_shapes import DeletedShape
from gateway.notifications.presentation import show_detail, show_status
from gateway.notifications.selectors import get_notification
from gateway.notifications.services.changes import (
    cancel_notification,
    delete_notification,
    edit_notification,
)
from gateway.notifications.services.locking import Authority
from gateway.notifications.shapes import DetailShape, StatusShape
from gateway.organizations.models import Scope

CANCELLED = "Notification cancelled"
RETRIED = "The notification is accepted and will be sent again"
REJECTED = "Not sent again; the reason says why"
CHANGED = "Notification changed"
DELETED = "Notification deleted"

_TAGS = ["notifications"]
_PATH = path_parameter("notification_id", examples.NOTIFICATION_ID, "Its id.")
_STATUS = {name: value for name, value in examples.STATUS.items() if name != "delivered_at"}
_UNSENT: dict[str, Any] = {
    "status": "scheduled",
    "scheduled_at": "2030-01-31T08:00:00Z",
    "provider": None,
    "provider_message_id": None,
    "sent_at": None,
    "delivered_at": None,
    "attempts": [],
    "timeline": [{"status": "scheduled", "at": "2026-01-05T09:30:00.123456Z"}],
    "engagement": {},
}


class NotificationCancelApi(ClientApi):
    """Takes a notification back before it is sent."""

    scopes = {"POST": (Scope.SEND,)}

    @extend_schema(
        operation_id="cancel_notification",
        summary="Cancel a notification",
        description=(
            "What is `scheduled`, `accepted` and not yet handed over, or `retrying`. After a 200 "
            "no (further) attempt is made; it goes on counting against the quota. A 409 "
            "`not_cancellable` names the status; 409 `notification_busy` says that it is being "
            "handed over at this moment. Safe to repeat. One reservation: where the answer of the "
            "message broker to a hand-over was lost, nobody knows of it until the worker reports, "
            "and a notification in that state can be cancelled and still arrive; its attempts "
            "then tell."
        ),
        tags=_TAGS,
        parameters=[_PATH],
        request=None,
        responses={
            200: shown(
                StatusShape,
                "It is cancelled",
                {**_STATUS, "status": "cancelled", "reason": "cancelled"},
                CANCELLED,
            ),
            **refusals(
                *caller_refusals("send"),
                *NO_FIELDS,
                errors.NotificationNotFound(),
                *CHANGING,
                NotCancellable("delivered"),
            ),
        },
    )
    def post(self, request: Request, notification_id: str) -> Response:
        """Cancel it."""
        expect_no_body(request)
        cancelled = cancel_notification(Authority.of(self.caller), notification_id)
        return success(show_status(cancelled), CANCELLED)


class NotificationRetryApi(ClientApi):
    """Sends again what failed."""

    scopes = {"POST": (Scope.SEND,)}

    @extend_schema(
        operation_id="retry_notification",
        summary="Send a failed notification again",
        description=(
            "What ended `failed` or `bounced`; the same as replaying its dead letter. It keeps its "
            "id, gets another attempt with as many retries as at first, and uses no quota. A user "
            "is reached where they can be reached today, and gets nothing (`rejected`) after "
            "opting out or a suppression. A repeat finds it `accepted` and answers 409: it is sent "
            "once."
        ),
        tags=_TAGS,
        parameters=[_PATH],
        request=None,
        responses={
            202: shown(
                StatusShape, "It will be sent again", {**_STATUS, "status": "accepted"}, RETRIED
            ),
            **refusals(
                *caller_refusals("send"),
                *NO_FIELDS,
                errors.NotificationNotFound(),
                *SENDING_AGAIN,
            ),
        },
    )
    def post(self, request: Request, notification_id: str) -> Response:
        """Send it again."""
        expect_no_body(request)
        retried = retry_notification(Authority.of(self.caller), notification_id)
        rejected = retried.status == Status.REJECTED
        return success(show_status(retried), REJECTED if rejected else RETRIED, status=202)


class NotificationChangeApi(NotificationApi):
    """One notification: show, change, delete. What is deleted leaves no trace: that is `admin`."""

    scopes = {**NotificationApi.scopes, "PATCH": (Scope.SEND,), "DELETE": (Scope.ADMIN,)}

    @extend_schema(
        operation_id="change_notification",
        summary="Change a notification that is not yet handed over",
        description=(
            "While it is `scheduled` or `accepted`: the content, the metadata, when it is to be "
            "sent and until when. What is left out stays; `content` and `metadata` are given as a "
            "whole. A 409 `not_changeable` names the status. The same reservation as for "
            "cancelling holds."
        ),
        tags=_TAGS,
        parameters=[_PATH],
        request=request_body(ChangeBody),
        examples=[
            sent("Send it later", {"scheduled_at": "2030-01-31T09:00:00+01:00"}),
            sent("Send it now", {"scheduled_at": None}),
            sent(
                "Say something else",
                {
                    "content": {"subject": "Moved to Friday", "body": "See you on Friday."},
                    "metadata": {"source": "calendar"},
                },
            ),
        ],
        responses={
            200: shown(DetailShape, "The notification", {**examples.DETAIL, **_UNSENT}, CHANGED),
            **refusals(
                *caller_refusals("send"),
                InvalidJSON("The body is not acceptable JSON: Expecting value at line 1 column 1."),
                ValidationFailed(details={"scheduled_at": ["This time has passed."]}),
                PayloadTooLarge("The body may have 1000000 bytes at most."),
                errors.NotificationNotFound(),
                *CHANGING,
                NotChangeable("queued"),
                ContentCleared(),
            ),
        },
    )
    def patch(self, request: Request, notification_id: str) -> Response:
        """Change it."""
        body = parse_body(request, ChangeBody)
        check_change(body)
        caller = self.caller
        edit_notification(Authority.of(caller), notification_id, body)
        found = get_notification(caller.organization_id, notification_id)
        masked = not caller.allows(Scope.READ.value)
        return success(show_detail(found, masked=masked), CHANGED)

    @extend_schema(
        operation_id="delete_notification",
        summary="Delete a notification that has ended",
        description=(
            "For good, with its content, attempts and dead letter. Its request_id is forgotten "
            "too: a request that repeats it is a new one. A 409 `not_deletable` names the status "
            "of what has not ended; cancel it first."
        ),
        tags=_TAGS,
        parameters=[_PATH],
        request=None,
        responses={
            200: shown(
                DeletedShape,
                "It is gone",
                {"notification_id": examples.NOTIFICATION_ID},
                DELETED,
            ),
            **refusals(
                *caller_refusals("admin"),
                *NO_FIELDS,
                errors.NotificationNotFound(),
                *CHANGING,
                NotDeletable("retrying"),
            ),
        },
    )
    def delete(self, request: Request, notification_id: str) -> Response:
        """Delete it."""
        expect_no_body(request)
        delete_notification(Authority.of(self.caller), notification_id)
        return success(DeletedShape(notification_id=notification_id), DELETED)
