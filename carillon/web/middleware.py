"""One middleware around every request: correlation id, log line, metrics, header checks."""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin
from prometheus_client import Counter, Histogram

from carillon.observability import tracing
from carillon.observability.correlation import HTTP_HEADER, sane_or_new
from carillon.observability.metrics import LATENCY_BUCKETS
from carillon.web.postgresql import upkeep
from carillon.web.postgresql.patience import patience

log = structlog.get_logger(__name__)

REQUESTS = Counter(
    "carillon_http_requests_total",
    "HTTP requests answered, by route and status.",
    ["service", "method", "route", "status"],
)
LATENCY = Histogram(
    "carillon_http_request_duration_seconds",
    "Time to answer an HTTP request, by route.",
    ["service", "method", "route"],
    buckets=LATENCY_BUCKETS,
)
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
# Probes and scrapes come every few seconds; their lines would bury the others.
_QUIET = ("/health/", "/metrics", "/static/")

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestMiddleware:
    """Binds the correlation id, answers with it, and counts and logs the request."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.service: str = settings.CARILLON.service
        upkeep.take_over()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Raises nothing: Django has turned every exception into an answer by then."""
        started = time.perf_counter()
        correlation_id = sane_or_new(request.META.get("HTTP_X_CORRELATION_ID"))
        request.correlation_id = correlation_id  # type: ignore[attr-defined]
        upkeep.drop_unusable()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(correlation_id=correlation_id)
        with patience(settings.CARILLON.database_patience):
            response = self._traced(request) if tracing.is_on() else self.get_response(request)
        response[HTTP_HEADER] = correlation_id
        _tell_length(response)
        self._record(request, response, time.perf_counter() - started)
        return response

    def _traced(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(_QUIET):
            return self.get_response(request)
        method = _method(request)
        parent = request.META.get("HTTP_TRACEPARENT")
        with tracing.span(method, "server", parent=parent) as span:
            response = self.get_response(request)
            # Without the path: it can hold an address or a token.
            route = _route(request)
            span.name(f"{method} {route}")
            for name, value in tracing.http_attributes(method, response.status_code).items():
                span.set(name, value)
            span.set("http.route", route)
            if response.status_code >= 500:
                span.fail(str(response.status_code))
        return response

    def _record(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        route, method = _route(request), _method(request)
        status = response.status_code
        answered, latency = _measures(self.service, method, route, status)
        answered.inc()
        latency.observe(seconds)
        if status < 500 and request.path.startswith(_QUIET):
            return
        # The route and not the path: a path can hold an address or a token.
        log.info(
            "request",
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
        )


# Finding one by its labels takes as long as counting. There are few: methods, routes, statuses.
@cache
def _measures(service: str, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return (
        REQUESTS.labels(service, method, route, status),
        LATENCY.labels(service, method, route),
    )


def _route(request: HttpRequest) -> str:
    return request.resolver_match.route if request.resolver_match else "(unmatched)"


def _method(request: HttpRequest) -> str:
    return request.method if request.method in _METHODS else "OTHER"


def _tell_length(response: HttpResponse) -> None:
    """Without Content-Length gunicorn sends chunks: one more write for each answer."""
    bodiless = response.streaming or response.status_code in {204, 304}
    if not bodiless and not response.has_header("Content-Length"):
        response["Content-Length"] = str(len(response.content))


class _AdminOnly(MiddlewareMixin):
    """Sessions, CSRF and messages serve the admin alone; API calls do not pay for them."""

    def __init__(self, get_response: GetResponse) -> None:
        super().__init__(get_response)
        self._admin_path = settings.CARILLON.security.admin_path
        # What comes after the last of them: the first lets API calls pass all of them.
        after: Any = get_response
        while isinstance(getattr(after, "__wrapped__", None), _AdminOnly):
            after = after.__wrapped__.get_response
        self._after: GetResponse = after

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(self._admin_path):
            return super().__call__(request)  # type: ignore[return-value]
        return self._after(request)


class AdminSessionMiddleware(_AdminOnly, SessionMiddleware):
    """Sessions, in the admin."""


class AdminCsrfMiddleware(_AdminOnly, CsrfViewMiddleware):
    """CSRF protection, in the admin: the APIs take no cookies."""


class AdminAuthenticationMiddleware(_AdminOnly, AuthenticationMiddleware):
    """Logged-in users, in the admin."""


class AdminMessageMiddleware(_AdminOnly, MessageMiddleware):
    """Flash messages, in the admin."""
