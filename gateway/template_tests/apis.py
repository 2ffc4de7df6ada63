"""`POST /api/v1/templates/<code>/test-send/`."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from carillon.contracts.status import Status
from carillon.web.bodies import parse_body
from carillon.web.errors import ApiError
from carillon.web.openapi import request_body
from gateway.admission.errors import InsufficientScope, QuotaExceeded
from gateway.admission.views import ClientApi
from gateway.documentation import (
    CORRELATION_ID,
    body_refusals,
    caller_refusals,
    path_parameter,
    refusals,
    sent,
    shown,
)
from gateway.forwarding.client import unavailable
from gateway.forwarding.descriptions import contracts
from gateway.notifications.apis import create
from gateway.notifications.errors import MissingVariables, TemplateNotFound
from gateway.notifications.metrics import count_accepted, count_refused
from gateway.notifications.shapes import AcceptedShape
from gateway.organizations.models import Scope
from gateway.organizations.synchronization import TEMPLATE_SERVICE
from gateway.template_tests.bodies import TemplateTestBody
from gateway.template_tests.services import render, send_test

_NEEDED = (Scope.TEMPLATES, Scope.SEND)
_PREVIEW = contracts(TEMPLATE_SERVICE)["POST /api/v1/templates/{code}/preview/"]
_ACCEPTED: dict[str, Any] = {
    "notification_id": "notif_0193f2c6a7b87d1e9c0a5b4d3e2f1a10",
    "status": Status.ACCEPTED.value,
    "request_id": "req_0193f2c6a7b87d1e9c0a5b4d3e2f1a10",
    "correlation_id": CORRELATION_ID,
}


class TemplateTestSendApi(ClientApi):
    """A version of a template, to an address."""

    scopes = {"POST": _NEEDED}

    def check_permissions(self, request: Request) -> None:
        """Needs both scopes. Raises InsufficientScope."""
        super().check_permissions(request)
        caller = self.caller
        for scope in _NEEDED if request.method == "POST" else ():
            if not caller.allows(scope.value):
                raise InsufficientScope(scope.value)

    @extend_schema(
        operation_id="send_template_test",
        summary="Send a test of a template",
        description="Renders the template as its preview does, drafts included, and sends that to "
        "`to`: a real notification, with limits, quota, suppressions and status as any other. Its "
        "`metadata` has `template_test`, `template_code`, `template_version` and "
        "`template_language`. Links to unsubscribe are samples. The key needs the scopes "
        "`templates` and `send`.",
        tags=["templates"],
        parameters=[path_parameter("code", "welcome_email", "The template's code.")],
        request=request_body(TemplateTestBody),
        examples=[
            sent("What is published", {"to": "ann@example.com", "data": {"name": "Ann"}}),
            sent(
                "A draft in Portuguese", {"to": "ann@example.com", "version": 3, "language": "pt"}
            ),
        ],
        responses={
            202: shown(AcceptedShape, "It will be sent", _ACCEPTED, create.ACCEPTED),
            **refusals(
                *caller_refusals(" and ".join(scope.value for scope in _NEEDED)),
                *body_refusals("to", {"to": ["Expected an email address."]}),
                TemplateNotFound("welcome_email"),
                MissingVariables(["name"]),
                *(refusal.as_error() for refusal in _PREVIEW.errors),
                QuotaExceeded(1_000, 3_600),
                unavailable(TEMPLATE_SERVICE)(),
            ),
        },
    )
    def post(self, request: Request, code: str) -> HttpResponse:
        """The notification that was accepted."""
        channel = ""
        try:
            body = parse_body(request, TemplateTestBody)
            rendered = render(self.caller, code, body)
            channel = rendered.type
            accepted = send_test(
                self.caller,
                code,
                body,
                rendered,
                correlation_id=create.correlation_of(request),
                traceparent=create.traceparent_of(request),
            )
        except ApiError as refusal:
            count_refused(channel, refusal.code)
            raise
        count_accepted(channel, accepted)
        if accepted.month is not None:
            self.limits = (*self.limits, accepted.month)
        return create.show_accepted(accepted)
