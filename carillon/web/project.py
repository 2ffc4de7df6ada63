"""The Django settings that the three services have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import django_stubs_ext

from carillon import __version__
from carillon.settings import Environment, SettingsError
from carillon.web.security import SecuritySettings

# Lets `ModelAdmin[Thing]` and the like be written at run time; before any app is imported.
django_stubs_ext.monkeypatch()

# Seconds.
BEYOND_STATEMENT_TIMEOUT = 3.0
DATABASE_EXAMPLE = "postgresql://carillon:password@127.0.0.1:5432"


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """What a service read from its environment, beside Django's own settings."""

    service: str
    security: SecuritySettings
    secret_keys: tuple[str, ...]
    internal_secrets: tuple[str, ...]
    redis_url: str
    allowed_hosts: tuple[str, ...]
    database: Mapping[str, Any]
    # Seconds that a request waits for PostgreSQL; None for ever.
    database_patience: float | None

    @classmethod
    def read(cls, service: str, *, database: str, env: Environment) -> "ServiceSettings":
        """`database` is the service's own on the server of DATABASE_URL.

        `<SERVICE>_DATABASE_URL` names another in full. Raises SettingsError.
        """
        secret = "$(openssl rand -hex 32)"  # noqa: S105
        return cls(
            service=service,
            security=SecuritySettings.read(env),
            secret_keys=env.secrets("SECRET_KEY", example=secret),
            internal_secrets=env.secrets("INTERNAL_API_SECRET", example=secret),
            redis_url=env.url(
                "REDIS_URL", schemes=("redis", "rediss"), example="redis://127.0.0.1:6379/0"
            ),
            allowed_hosts=env.names("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]")),
            database=_database(service, database, env),
            database_patience=_patience(env),
        )


def django_settings(
    own: ServiceSettings, *, apps: list[str], title: str, description: str
) -> dict[str, Any]:
    """For `globals().update(…)` in a service's settings.py."""
    service = own.service
    return {
        "DEBUG": False,
        "SECRET_KEY": own.secret_keys[0],
        # While one is rotated the old one still reads what it signed.
        "SECRET_KEY_FALLBACKS": list(own.secret_keys[1:]),
        "ALLOWED_HOSTS": list(own.allowed_hosts),
        "ROOT_URLCONF": f"{service}.urls",
        "WSGI_APPLICATION": f"{service}.wsgi.application",
        "INSTALLED_APPS": [
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            # Before drf_spectacular: its pages would load a font from elsewhere.
            "carillon.web",
            "django.contrib.staticfiles",
            "rest_framework",
            "drf_spectacular",
            "drf_spectacular_sidecar",
            *own.security.apps(),
            *apps,
        ],
        "MIDDLEWARE": [
            "carillon.web.middleware.RequestMiddleware",
            *own.security.middleware(),
            # Right before the two whose part it takes.
            "carillon.web.security_headers.SecurityHeadersMiddleware",
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
            "whitenoise.middleware.WhiteNoiseMiddleware",
            "carillon.web.middleware.AdminSessionMiddleware",
            "carillon.web.middleware.AdminCsrfMiddleware",
            "carillon.web.middleware.AdminAuthenticationMiddleware",
            "carillon.web.middleware.AdminMessageMiddleware",
        ],
        "TEMPLATES": [_templates()],
        "DATABASES": {"default": dict(own.database)},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "LANGUAGE_CODE": "en",
        "TIME_ZONE": "UTC",
        "USE_TZ": True,
        "STATIC_URL": "/static/",
        # Static files straight from the packages: no collectstatic step to forget.
        "WHITENOISE_USE_FINDERS": True,
        "WHITENOISE_AUTOREFRESH": False,
        "WHITENOISE_MAX_AGE": 3600,
        # Our own middleware logs requests; logging is configured above.
        "LOGGING_CONFIG": None,
        "REST_FRAMEWORK": _rest_framework(),
        "SPECTACULAR_SETTINGS": _spectacular(title, description),
        **own.security.django_settings(),
    }


def _database(service: str, database: str, env: Environment) -> dict[str, Any]:
    schemes = ("postgresql", "postgres")
    own = f"{service.upper()}_DATABASE_URL"
    whole = env.text(own, "")
    name = own if whole else "DATABASE_URL"
    parts = urlsplit(env.url(name, schemes=schemes, example=DATABASE_EXAMPLE))
    if whole:
        database = parts.path.lstrip("/")
        if not database:
            raise SettingsError(own, "names no database", f"{DATABASE_EXAMPLE}/{database}")
    return {
        "ENGINE": "carillon.web.postgresql",
        "NAME": database,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname,
        "PORT": parts.port or 5432,
        # One connection per thread, kept.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 3,
            "application_name": service,
            "options": f"-c statement_timeout={_statement_timeout(env)}",
        },
    }


def _statement_timeout(env: Environment) -> int:
    """Milliseconds, kept by the server; 0 for none."""
    return env.integer("DATABASE_STATEMENT_TIMEOUT_MS", 15_000)


def _patience(env: Environment) -> float | None:
    """A server that has not ended a statement by then is not there."""
    milliseconds = _statement_timeout(env)
    return milliseconds / 1000 + BEYOND_STATEMENT_TIMEOUT if milliseconds else None


def _templates() -> dict[str, Any]:
    return {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }


def _rest_framework() -> dict[str, Any]:
    return {
        "DEFAULT_RENDERER_CLASSES": ["carillon.web.envelope.EnvelopeRenderer"],
        # Bodies are read by carillon.web.bodies.
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "EXCEPTION_HANDLER": "carillon.web.errors.handle_exception",
        "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
        "UNAUTHENTICATED_USER": None,
        "DEFAULT_CONTENT_NEGOTIATION_CLASS": "carillon.web.negotiation.AlwaysJSON",
    }


def _spectacular(title: str, description: str) -> dict[str, Any]:
    return {
        "TITLE": title,
        "DESCRIPTION": description,
        "VERSION": __version__,
        "OAS_VERSION": "3.1.1",
        "SERVE_INCLUDE_SCHEMA": False,
        "SWAGGER_UI_DIST": "SIDECAR",
        "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
        "REDOC_DIST": "SIDECAR",
        "SWAGGER_UI_SETTINGS": {
            "deepLinking": True,
            "persistAuthorization": True,
            "displayRequestDuration": True,
            "tryItOutEnabled": True,
        },
    }
