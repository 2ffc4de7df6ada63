"""One error tree for the services, mapped to the envelope in one place."""

from collections.abc import Mapping
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import set_rollback

from carillon.web.envelope import failure, failure_bytes

log = structlog.get_logger(__name__)


class ApiError(Exception):
    """An answer that is not a success: HTTP status, error code and a message for the client."""

    status = 500
    code = "internal_error"
    message = "Something went wrong on our side; the correlation id finds it in our logs."

    def __init__(
        self,
        message: str | None = None,
        *,
        details: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message or self.message)
        self.message = message or self.message
        self.details = details
        self.headers = dict(headers or {})


class AuthenticationRequired(ApiError):
    """No credentials at all."""

    status = 401
    code = "authentication_required"
    message = "Send your API key in the X-API-Key header."


class MissingOrganization(ApiError):
    """An internal call that does not say for whom."""

    status = 400
    code = "missing_organization"
    message = "Send the organization's id in the X-Organization-ID header."


class InvalidJSON(ApiError):
    """A body that is not one well-formed JSON object."""

    status = 400
    code = "invalid_json"
    message = "The body is not a valid JSON object."


class MissingFields(ApiError):
    """Required fields are absent; `details` names them."""

    status = 400
    code = "missing_fields"
    message = "Required fields are missing."


class ValidationFailed(ApiError):
    """A field, query parameter or header is wrong; `details` says which and why."""

    status = 400
    code = "validation_error"
    message = "The request has invalid values."


class NotFound(ApiError):
    """No such object for this organization."""

    status = 404
    code = "not_found"
    message = "There is nothing here. Every path ends in a slash; /api/docs/ lists them."


class Conflict(ApiError):
    """The request contradicts what is stored."""

    status = 409
    code = "conflict"
    message = "The request conflicts with what is stored."


class PayloadTooLarge(ApiError):
    """A body over the endpoint's limit."""

    status = 413
    code = "payload_too_large"
    message = "The body is too large."


class ServiceUnavailable(ApiError):
    """Something this answer depends on is down; the same request may work soon."""

    status = 503
    code = "service_unavailable"
    message = "A service this depends on is unavailable. Try again shortly."

    def __init__(self, message: str | None = None, *, retry_after: int = 2) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after)})


_DRF_CODES: tuple[tuple[type[drf.APIException], str], ...] = (
    (drf.ParseError, "invalid_json"),
    (drf.NotAuthenticated, "authentication_required"),
    (drf.AuthenticationFailed, "authentication_required"),
    (drf.PermissionDenied, "permission_denied"),
    (drf.NotFound, "not_found"),
    (drf.MethodNotAllowed, "method_not_allowed"),
    (drf.NotAcceptable, "not_acceptable"),
    (drf.UnsupportedMediaType, "unsupported_media_type"),
    (drf.Throttled, "rate_limit_exceeded"),
)


def handle_exception(error: Exception, context: Mapping[str, Any]) -> Response:
    """REST framework's EXCEPTION_HANDLER: every exception becomes the envelope."""
    set_rollback()
    if isinstance(error, (Http404, drf.NotFound)):
        error = NotFound()
    elif isinstance(error, PermissionDenied):
        error = drf.PermissionDenied()
    elif isinstance(error, (OperationalError, InterfaceError)):
        log.error("database unavailable", error=type(error).__name__)
        error = ServiceUnavailable("The database is unavailable. Nothing was stored; try again.")
    if isinstance(error, ApiError):
        body = failure(error.code, error.message, error.details)
        return Response(body, status=error.status, headers=error.headers)
    if isinstance(error, drf.APIException):
        return _from_rest_framework(error)
    # A defect. The client gets the envelope, the log gets the traceback.
    log.exception("unhandled error", view=type(context.get("view")).__name__)
    return Response(failure(ApiError.code, ApiError.message), status=500)


def _from_rest_framework(error: drf.APIException) -> Response:
    code = next((name for kind, name in _DRF_CODES if isinstance(error, kind)), "invalid_request")
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(error.auth_header)  # type: ignore[attr-defined]
    return Response(failure(code, str(error.detail)), status=error.status_code, headers=headers)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: a request that no view saw (a bad host, a malformed query)."""
    return _plain(400, "invalid_request", "The request is malformed.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return _plain(404, NotFound.code, NotFound.message)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: a defect outside of REST framework."""
    log.exception("unhandled error")
    return _plain(500, ApiError.code, ApiError.message)


def _plain(status: int, code: str, message: str) -> HttpResponse:
    return HttpResponse(
        failure_bytes(code, message), status=status, content_type="application/json"
    )
