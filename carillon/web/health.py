"""Health and metrics endpoints; no credentials, bounded in time, no secrets in the answers."""

from collections.abc import Callable
from typing import Any

import redis
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from carillon.observability.health import HealthChecks
from carillon.observability.metrics import CONTENT_TYPE, exposition

View = Callable[[HttpRequest], HttpResponse]


def health_urls(*, everything: HealthChecks, serving: HealthChecks) -> list[URLPattern]:
    """`/health/` checks `everything`; `/health/ready/` only what is needed for `serving`.

    The two differ where work goes on without a dependency: the gateway accepts notifications
    while RabbitMQ is down, so it stays in the load balancer, but is not healthy.
    """
    return [
        path("health/", _report_view(everything), name="health"),
        path("health/ready/", _report_view(serving), name="health-ready"),
        path("health/live/", _live, name="health-live"),
        path("metrics", _metrics, name="metrics"),
        path("metrics/", _metrics),
    ]


def check_database() -> None:
    """One round trip. Raises Django's database errors."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        # The check runs in a thread of its own, outside of Django's request cycle.
        connection.close()


def redis_check(client: redis.Redis) -> Callable[[], None]:
    """A check that pings."""

    def check() -> None:
        client.ping()

    return check


def _report_view(checks: HealthChecks) -> View:
    @require_safe
    def view(_request: HttpRequest) -> HttpResponse:
        healthy, body = checks.report()
        return _json(body, 200 if healthy else 503)

    return view


@require_safe
def _live(_request: HttpRequest) -> HttpResponse:
    return _json({"status": "alive"}, 200)


@require_safe
def _metrics(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(exposition(), content_type=CONTENT_TYPE)


def _json(body: dict[str, Any], status: int) -> HttpResponse:
    response = JsonResponse(body, status=status)
    response["Cache-Control"] = "no-store"
    return response
