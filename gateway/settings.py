"""Django settings of the gateway, its relay and its events process."""

from carillon.observability import logging, tracing
from carillon.settings import Environment
from carillon.web.project import ServiceSettings, django_settings
from gateway.config import GatewaySettings
from gateway.introduction import INTRODUCTION

_env = Environment()
logging.configure("gateway", _env)
tracing.configure("gateway", _env)

CARILLON = ServiceSettings.read("gateway", database="gateway", env=_env)
GATEWAY = GatewaySettings.read(_env)

globals().update(
    django_settings(
        CARILLON,
        apps=[
            "gateway.organizations",
            "gateway.notifications",
            "gateway.batches",
            "gateway.outbox",
            "gateway.deliveries",
            "gateway.fallbacks",
            "gateway.suppressions",
            "gateway.callbacks",
            "gateway.provider_accounts",
            "gateway.analytics",
            "gateway.retention",
        ],
        title="Carillon",
        description=INTRODUCTION,
    )
)
DOCTOR = "gateway.doctor.checks"
globals()["SPECTACULAR_SETTINGS"]["POSTPROCESSING_HOOKS"] = [
    "gateway.documentation.add_error_schema",
]
globals()["SPECTACULAR_SETTINGS"]["TAGS"] = [
    {"name": "notifications", "description": "Send, and see what became of it."},
    {"name": "batches", "description": "One message to thousands, and how far it is."},
    {"name": "dead letters", "description": "What failed for good, and sending it again."},
    {"name": "templates", "description": "What to say: versions, languages, previews."},
    {"name": "users", "description": "Whom to notify: one by one, in batches, by import."},
    {"name": "devices", "description": "Where a user's push messages go."},
    {"name": "preferences", "description": "What a user wants to receive, and when not."},
    {"name": "policies", "description": "Categories, and what holds for who chose nothing."},
    {"name": "suppressions", "description": "Addresses to which nothing more is sent."},
    {"name": "provider accounts", "description": "Your own accounts with providers."},
    {"name": "organization", "description": "Your organization and its API keys."},
]
# The hot path's one statement is prepared, once per connection. A pooler in transaction mode that
# does not follow prepared statements (PgBouncer before 1.21) needs this off.
if _env.flag("DATABASE_PREPARED_STATEMENTS", True):
    globals()["DATABASES"]["default"]["OPTIONS"]["prepare_threshold"] = 5
