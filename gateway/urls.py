"""Routes of the gateway."""

from django.conf import settings

from carillon.observability.health import HealthChecks
from carillon.web import errors
from carillon.web.health import check_database
from carillon.web.urls import common_urls

_everything = HealthChecks(settings.CARILLON.service, {"database": check_database})
_serving = HealthChecks(settings.CARILLON.service, {"database": check_database})

urlpatterns = [*common_urls(everything=_everything, serving=_serving)]

handler400 = errors.bad_request
handler404 = errors.not_found
handler500 = errors.server_error
