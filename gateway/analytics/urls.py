"""Routes of the analytics."""

from django.urls import path

from gateway.analytics.apis.analytics import AnalyticsApi

urlpatterns = [
    path("api/v1/notifications/analytics/", AnalyticsApi.as_view()),
]
