"""Routes of the gateway."""

from django.urls import include, path

from carillon.web import errors
from carillon.web.urls import common_urls
from gateway import health
from gateway.notifications.apis.notifications import NotificationsApi

urlpatterns = [
    # Django looks at one route after the other, and this one is asked for most.
    path("api/v1/notifications/", NotificationsApi.as_view()),
    # Before the notifications, whose ids would be anything.
    path("", include("gateway.analytics.urls")),
    path("", include("gateway.batches.urls")),
    path("", include("gateway.notifications.urls")),
    path("", include("gateway.deliveries.urls")),
    path("", include("gateway.organizations.urls")),
    path("", include("gateway.retention.urls")),
    path("", include("gateway.forwarding.urls")),
    path("", include("gateway.template_tests.urls")),
    path("", include("gateway.unsubscribe.urls")),
    path("", include("gateway.callbacks.urls")),
    path("", include("gateway.tracking.urls")),
    path("", include("gateway.provider_accounts.urls")),
    *common_urls(everything=health.everything(), serving=health.serving()),
]

handler400 = errors.bad_request
handler404 = errors.not_found
handler500 = errors.server_error
