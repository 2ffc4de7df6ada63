"""Routes of the user service."""

from django.conf import settings
from django.urls import include, path

from carillon.observability.health import HealthChecks
from carillon.redis_client import connect
from carillon.web import errors
from carillon.web.health import check_database, redis_check
from carillon.web.tenants.apis import OrganizationSyncApi
from carillon.web.urls import common_urls

_everything = HealthChecks(
    settings.CARILLON.service,
    {"database": check_database, "redis": redis_check(connect(settings.CARILLON.redis_url))},
)
# Without Redis reads come from the database: slower, and right.
_serving = HealthChecks(settings.CARILLON.service, {"database": check_database})

urlpatterns = [
    path("internal/organizations/", OrganizationSyncApi.as_view()),
    path("", include("user_service.policies.urls")),
    path("", include("user_service.suppressions.urls")),
    path("", include("user_service.unsubscribe.urls")),
    path("", include("user_service.users.urls")),
    *common_urls(everything=_everything, serving=_serving),
]

handler400 = errors.bad_request
handler404 = errors.not_found
handler500 = errors.server_error
