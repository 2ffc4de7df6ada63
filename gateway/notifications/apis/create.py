"""From an HTTP request to what is asked for, and from what was accepted to an answer."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from msgspec import UNSET
from rest_framework.request import Request

from carillon.contracts.channels import CHANNELS
from carillon.contracts.status import Status
from carillon.observability import tracing
from carillon.web.bodies import convert_body, read_object
from carillon.web.envelope import success_bytes
from carillon.web.errors import ApiError
from gateway.admission.authentication import KEY_HEADER, single_header
from gateway.admission.entry import SplitKey, last_record
from gateway.admission.foresight import Foreseen
from gateway.notifications.apis.foreseeing import foresee
from gateway.notifications.apis.request_ids import request_id_of
from gateway.notifications.asked import Accepted, Asked
from gateway.notifications.bodies import (
    DeviceTarget,
    NotificationBody,
    check_complete,
    check_notification,
)
from gateway.notifications.inline import inline_content
from gateway.notifications.lookup import Wanted
from gateway.notifications.plan_shapes import PlanShape
from gateway.notifications.recipients import Recipient, direct_recipient
from gateway.notifications.shapes import AcceptedShape
from gateway.organizations.key_records import KeyRecord

# Bytes. Larger bodies are not parsed for strangers.
EARLY_BODY_LIMIT = 16_384

REPLAYED_HEADER = "Idempotent-Replayed"

ACCEPTED = "Notification accepted for processing"
SCHEDULED = "Notification scheduled"
REJECTED = "Notification stored but not sent; the reason says why"
REPLAYED = "This request_id was answered before; this is its notification"
PLANNED = "A dry run: nothing was stored, sent or counted"

_JSON = "application/json"
_MESSAGES = {Status.SCHEDULED: SCHEDULED, Status.REJECTED: REJECTED}


class RequestBody:
    """The body of a request, read once: before the key is known if it is small.

    Reading it early tells which records to fetch in the trip that recognises the key. What is
    wrong with it must be told after what is wrong with the key, so it is kept until asked for.
    So is the recipient that it names: what addresses look like takes long to check.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._value: dict[str, Any] | None = None
        self._error: ApiError | None = None
        self._direct: Recipient | None = None
        self._record: KeyRecord | None = None

    def cache_keys(self) -> Sequence[SplitKey]:
        """Of its template, user, address and what the organization decided, if it is readable."""
        length = self._request._request.META.get("CONTENT_LENGTH") or ""
        if not length.isdigit() or int(length) > EARLY_BODY_LIMIT:
            return ()
        try:
            self._value = read_object(self._request)
        except ApiError as error:
            self._error = error
            return ()
        code, user_id = self._value.get("template_code"), self._value.get("user_id")
        if not isinstance(code, str | None) or not isinstance(user_id, str | None):
            return ()
        self._record = last_record(single_header(self._request, KEY_HEADER))
        organization_id = self._record.organization_id if self._record else ""
        direct = self._early_direct() if organization_id else None
        return Wanted(organization_id, code or "", user_id or "", direct).cache_keys()

    def foreseen(self) -> Foreseen | None:
        """What it takes of the limits, once `cache_keys` were asked for, if that can be told."""
        if self._value is None or self._record is None:
            return None
        return foresee(self._request, self._value, self._record, self._direct)

    def _early_direct(self) -> Recipient | None:
        """None where `to` is nothing that could be suppressed; why that is, is told later."""
        channel, to = (self._value or {}).get("notification_type"), (self._value or {}).get("to")
        if not isinstance(channel, str) or not isinstance(to, str) or channel not in CHANNELS:
            return None
        try:
            self._direct = direct_recipient(channel, to)
        except ApiError:
            return None
        return self._direct

    def direct(self, channel: str, to: str | DeviceTarget) -> Recipient:
        """The recipient that `to` names. Raises ValidationFailed."""
        return self._direct or direct_recipient(channel, to)

    def value(self) -> dict[str, Any]:
        """The body as a JSON object. Raises PayloadTooLarge or InvalidJSON."""
        if self._error is not None:
            raise self._error
        if self._value is None:
            self._value = read_object(self._request)
        return self._value


def read_asked(request: Request, caller: KeyRecord, read: RequestBody) -> Asked:
    """The request, valid in itself. Raises what is wrong with its body or headers."""
    value = read.value()
    check_complete(value)
    body = convert_body(value, NotificationBody)
    check_notification(body)
    channel = body.notification_type
    return Asked(
        caller=caller,
        body=body,
        direct=None if body.to is None else read.direct(channel, body.to),
        inline=None if body.content is None else inline_content(channel, body.content),
        request_id=request_id_of(request, body.request_id),
        correlation_id=correlation_of(request),
        traceparent=traceparent_of(request),
    )


def show_accepted(accepted: Accepted) -> HttpResponse:
    """202, or 200 for a repeat; without REST framework's rendering, which the hot path spares."""
    shape = AcceptedShape(
        notification_id=accepted.notification_id,
        status=accepted.status,
        request_id=accepted.request_id,
        correlation_id=accepted.correlation_id,
        reason=accepted.reason or UNSET,
    )
    if accepted.replayed:
        body = success_bytes(shape, REPLAYED)
        return HttpResponse(body, _JSON, status=200, headers={REPLAYED_HEADER: "true"})
    body = success_bytes(shape, _MESSAGES.get(accepted.status, ACCEPTED))
    return HttpResponse(body, _JSON, status=202)


def show_plan(plan: PlanShape) -> HttpResponse:
    """200, whatever the plan says."""
    return HttpResponse(success_bytes(plan, PLANNED), _JSON, status=200)


def correlation_of(request: Request) -> str:
    """The id under which everything that the request causes is found."""
    django_request: HttpRequest = request._request
    return django_request.correlation_id  # type: ignore[attr-defined, no-any-return]


def traceparent_of(request: Request) -> str:
    """The caller's span, if the header is one; empty if not."""
    traceparent: str = request._request.META.get("HTTP_TRACEPARENT", "")
    # Where we trace, what follows is a child of this request and no longer of the client's.
    return tracing.current() or (traceparent if tracing.parsed(traceparent) else "")
