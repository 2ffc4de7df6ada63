"""One view per resource of the table."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from carillon.web.bodies import BODY_LIMIT
from carillon.web.errors import ApiError, PayloadTooLarge
from gateway.admission.views import ClientApi
from gateway.documentation import (
    caller_refusals,
    path_parameter,
    query_parameter,
    refusals,
    sent,
    shown,
)
from gateway.forwarding import client
from gateway.forwarding.operations import Operation, Resource
from gateway.notifications.errors import TemplateServiceUnavailable, UserServiceUnavailable
from gateway.organizations.models import Scope

_IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag that you read: 412 if somebody changed it since.",
)

View = Callable[..., HttpResponse]


class ForwardedApi(ClientApi):
    """A resource of an internal service; the gateway adds who calls and takes nothing away."""

    resource: Resource

    def forward(self, method: str, request: Request, parameters: dict[str, str]) -> HttpResponse:
        """The service's status, body and safe headers."""
        answer = client.forward(
            self.resource.service,
            client.Forwarded(
                method=method,
                path=client.fill(self.resource.path, parameters),
                organization_id=self.caller(request).organization_id,
                query=client.safe_query(request.META.get("QUERY_STRING", "")),
                body=_body(request),
                headers=client.safe_headers(
                    {
                        name: request.headers[name]
                        for name in client.REQUEST_HEADERS
                        if name in request.headers
                    }
                ),
            ),
        )
        response = HttpResponse(answer.body, status=answer.status)
        for name in client.RESPONSE_HEADERS:
            if name in answer.headers:
                response.headers[name] = answer.headers[name]
        return response


def view_of(resource: Resource) -> View:
    """A view with one documented method for each of the resource's operations."""
    handlers: dict[str, Any] = {
        operation.method.lower(): _handler(resource, operation) for operation in resource.operations
    }
    scopes = {operation.method: (resource.scope,) for operation in resource.operations}
    api = type(
        "ForwardedResource", (ForwardedApi,), handlers | {"resource": resource, "scopes": scopes}
    )
    return api.as_view()  # type: ignore[no-any-return, attr-defined]


def _handler(resource: Resource, operation: Operation) -> Any:
    def handler(self: ForwardedApi, request: Request, **parameters: str) -> HttpResponse:
        return self.forward(operation.method, request, parameters)

    return _documented(resource, operation)(handler)


def _documented(resource: Resource, operation: Operation) -> Any:
    is_user = resource.scope is Scope.USERS
    unavailable = UserServiceUnavailable if is_user else TemplateServiceUnavailable
    return extend_schema(
        operation_id=operation.operation_id,
        summary=operation.summary,
        tags=["users" if is_user else "templates"],
        parameters=[
            *(path_parameter(name, *told) for name, told in resource.parameters.items()),
            *([_IF_MATCH] if operation.if_match else []),
            *(
                query_parameter(name, {"type": "string"}, told)
                for name, told in operation.query.items()
            ),
        ],
        request=None if operation.body is None else {"application/json": {"type": "object"}},
        examples=[] if operation.body is None else [sent(operation.summary, operation.body)],
        responses={
            operation.status: shown(
                dict[str, Any] if isinstance(operation.answer, dict) else list[dict[str, Any]],
                operation.message,
                operation.answer,
                operation.message,
            ),
            **refusals(
                *caller_refusals(resource.scope.value),
                *(_service_error(*error) for error in operation.errors),
                unavailable(),
            ),
        },
    )


def _service_error(status: int, code: str, message: str) -> ApiError:
    """An error that the service answers, for the documentation."""
    error = ApiError(message)
    error.status, error.code = status, code
    return error


def _body(request: Request) -> bytes | None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > BODY_LIMIT:
        raise PayloadTooLarge(f"The body may have {BODY_LIMIT} bytes at most.")
    body: bytes = request._request.body
    if len(body) > BODY_LIMIT:
        raise PayloadTooLarge(f"The body may have {BODY_LIMIT} bytes at most.")
    return body or None
