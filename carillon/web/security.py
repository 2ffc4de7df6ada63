"""What Django is told about browsers, TLS and other sites; `manage.py check --deploy` is clean."""

import re
from dataclasses import dataclass
from typing import Any

from carillon.settings import Environment, SettingsError

YEAR = 31_536_000
ADMIN_PATH = "/admin/"
_PATH = re.compile(r"/([a-z0-9_-]+/)+", re.IGNORECASE)
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", re.IGNORECASE)

# Checks of `manage.py check --deploy` that ask for what would be wrong here.
_DECIDED_OTHERWISE = [
    # CSRF protection is there, in the admin: AdminCsrfMiddleware is a subclass. The APIs read no
    # cookies.
    "security.W003",
    # Whether other names below the domain speak TLS is not for one of them to decide.
    "security.W005",
    "security.W021",
    # A client that sent its key in the clear has given it away by the time it is redirected.
    "security.W008",
]


@dataclass(frozen=True, slots=True)
class SecuritySettings:
    """What was read from the environment.

    `admin_path` begins and ends with a slash. `origins` are the sites whose pages may call the
    API from a browser (CORS); none by default: an API key does not belong into a page.
    """

    production: bool
    behind_proxy: bool
    hsts_seconds: int
    admin_path: str
    origins: tuple[str, ...]

    @classmethod
    def read(cls, env: Environment) -> "SecuritySettings":
        """Raises SettingsError."""
        admin_path = env.text("ADMIN_PATH", ADMIN_PATH)
        if not _PATH.fullmatch(admin_path):
            raise SettingsError("ADMIN_PATH", f"is not like /…/: {admin_path!r}", ADMIN_PATH)
        origins = env.names("CORS_ALLOWED_ORIGINS", ())
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise SettingsError(
                    "CORS_ALLOWED_ORIGINS", f"has no origin: {origin!r}", "https://app.example.org"
                )
        return cls(
            production=env.is_production,
            behind_proxy=env.flag("TRUST_PROXY_HEADERS", False),
            hsts_seconds=env.integer("HSTS_SECONDS", YEAR),
            admin_path=admin_path,
            origins=origins,
        )

    def django_settings(self) -> dict[str, Any]:
        """The part of Django's settings that this decides."""
        return {
            "SILENCED_SYSTEM_CHECKS": _DECIDED_OTHERWISE,
            "SECURE_CONTENT_TYPE_NOSNIFF": True,
            "SECURE_REFERRER_POLICY": "same-origin",
            "SECURE_CROSS_ORIGIN_OPENER_POLICY": "same-origin",
            # Sent with what came over TLS alone.
            "SECURE_HSTS_SECONDS": self.hsts_seconds if self.production else 0,
            "X_FRAME_OPTIONS": "DENY",
            "SESSION_COOKIE_SECURE": self.production,
            "CSRF_COOKIE_SECURE": self.production,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_AGE": 8 * 3600,
            # Only behind a proxy that sets the header itself: anyone can send it.
            "SECURE_PROXY_SSL_HEADER": (
                ("HTTP_X_FORWARDED_PROTO", "https") if self.behind_proxy else None
            ),
            **self._cors(),
        }

    def apps(self) -> list[str]:
        """What has to be installed; nothing where no other site is let in."""
        return ["corsheaders"] if self.origins else []

    def middleware(self) -> list[str]:
        """What comes before everything that answers; nothing where no other site is let in."""
        return ["corsheaders.middleware.CorsMiddleware"] if self.origins else []

    def _cors(self) -> dict[str, Any]:
        if not self.origins:
            return {}
        return {
            "CORS_ALLOWED_ORIGINS": list(self.origins),
            "CORS_URLS_REGEX": r"^/api/",
            "CORS_ALLOW_HEADERS": [
                "content-type",
                "idempotency-key",
                "if-match",
                "x-api-key",
                "x-correlation-id",
            ],
            "CORS_EXPOSE_HEADERS": [
                "etag",
                "idempotent-replayed",
                "ratelimit",
                "ratelimit-policy",
                "retry-after",
                "x-correlation-id",
            ],
        }
