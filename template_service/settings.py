"""Django settings of the template service."""

from carillon.observability import logging, tracing
from carillon.settings import Environment
from carillon.web.project import ServiceSettings, django_settings

_env = Environment()
logging.configure("template_service", _env)
tracing.configure("template_service", _env)

CARILLON = ServiceSettings.read("template_service", database="templates", env=_env)

globals().update(
    django_settings(
        CARILLON,
        apps=["carillon.web.tenants", "template_service.templates"],
        title="Carillon template service",
        description="Internal API; clients reach it through the gateway.",
    )
)
