"""The routes every service has: health, metrics, the API's documentation, the admin."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, path
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerView

from carillon.observability.health import HealthChecks
from carillon.web.health import health_urls
from carillon.web.schema import schema


def common_urls(
    *, everything: HealthChecks, serving: HealthChecks
) -> list[URLPattern | URLResolver]:
    """See `carillon.web.health.health_urls` for the two sets of checks."""
    admin.site.site_header = admin.site.site_title = spectacular_settings.TITLE
    # There is no site to view.
    admin.site.site_url = None
    return [
        *health_urls(everything=everything, serving=serving),
        path("api/schema/", schema, name="schema"),
        path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
        path("api/redoc/", SpectacularRedocView.as_view(url_name="schema"), name="redoc"),
        path(settings.CARILLON.security.admin_path.lstrip("/"), admin.site.urls),
    ]
