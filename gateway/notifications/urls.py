"""Routes of the notifications API; the one that accepts is the first of `gateway.urls`."""

from django.urls import path

from gateway.notifications.apis.changes import (
    NotificationCancelApi,
    NotificationChangeApi,
    NotificationRetryApi,
)
from gateway.notifications.apis.notifications import NotificationStatusApi

urlpatterns = [
    path("api/v1/notifications/status/", NotificationStatusApi.as_view()),
    path("api/v1/notifications/<str:notification_id>/", NotificationChangeApi.as_view()),
    path("api/v1/notifications/<str:notification_id>/cancel/", NotificationCancelApi.as_view()),
    path("api/v1/notifications/<str:notification_id>/retry/", NotificationRetryApi.as_view()),
]
