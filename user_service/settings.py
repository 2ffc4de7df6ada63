"""Django settings of the user service."""

from carillon.observability import logging
from carillon.settings import Environment
from carillon.web.project import ServiceSettings, django_settings

_env = Environment()
logging.configure("user_service", _env)

CARILLON = ServiceSettings.read("user_service", database="users", env=_env)

globals().update(
    django_settings(
        CARILLON,
        apps=["carillon.web.tenants", "user_service.users"],
        title="Carillon user service",
        description="Internal API; clients reach it through the gateway.",
    )
)
