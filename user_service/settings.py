"""Django settings of the user service."""

from carillon.observability import logging, tracing
from carillon.settings import Environment
from carillon.unsubscribe_links import SECRETS_EXAMPLE
from carillon.web.project import ServiceSettings, django_settings

_env = Environment()
logging.configure("user_service", _env)
tracing.configure("user_service", _env)

CARILLON = ServiceSettings.read("user_service", database="users", env=_env)

# Sent whatever a user switched off, until an organization decides otherwise. The gateway reads
# the same setting.
ESSENTIAL_CATEGORIES = frozenset(
    _env.names("ESSENTIAL_CATEGORIES", ("otp", "security", "transactional"))
)

# Of who pressed an unsubscribe link; the gateway signs them with the same.
LINK_SECRETS = _env.secrets("LINK_SECRETS", example=SECRETS_EXAMPLE)

# Whom to tell of users who were erased.
GATEWAY_URL = _env.url("GATEWAY_URL", schemes=("http", "https"), example="http://127.0.0.1:8000")

globals().update(
    django_settings(
        CARILLON,
        apps=[
            "carillon.web.tenants",
            "user_service.erasure",
            "user_service.policies",
            "user_service.suppressions",
            "user_service.unsubscribe",
            "user_service.users",
        ],
        title="Carillon user service",
        description="Internal API; clients reach it through the gateway.",
    )
)
