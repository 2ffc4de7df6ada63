"""What the gateway depends on, each with its name."""

from django.conf import settings

from carillon.broker import health as broker_health
from carillon.observability.health import HealthChecks
from carillon.web.health import check_database, redis_check
from gateway.connections import redis_client, template_service, user_service

BROKER_SECONDS = 2.0


def everything() -> HealthChecks:
    """All that the platform needs to deliver."""
    return HealthChecks(
        settings.CARILLON.service,
        {
            "database": check_database,
            "redis": redis_check(redis_client()),
            "rabbitmq": _check_broker,
            "user_service": user_service().check,
            "template_service": template_service().check,
        },
    )


def serving() -> HealthChecks:
    """All that accepting needs: without the rest it is slower or sends later, and loses nothing."""
    return HealthChecks(settings.CARILLON.service, {"database": check_database})


def _check_broker() -> None:
    broker_health.check(settings.GATEWAY.rabbitmq_url, BROKER_SECONDS)
