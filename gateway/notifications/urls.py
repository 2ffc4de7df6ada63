"""Routes of the notifications API."""

from django.urls import path

from gateway.notifications.apis.notifications import (
    NotificationApi,
    NotificationsApi,
    NotificationStatusApi,
)

urlpatterns = [
    path("api/v1/notifications/", NotificationsApi.as_view()),
    path("api/v1/notifications/status/", NotificationStatusApi.as_view()),
    path("api/v1/notifications/<str:notification_id>/", NotificationApi.as_view()),
]
