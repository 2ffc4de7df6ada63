"""Routes for the other services."""

from django.urls import path

from gateway.retention.apis.erase import UserEraseApi

urlpatterns = [
    path("internal/users/erase/", UserEraseApi.as_view()),
]
