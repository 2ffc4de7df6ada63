"""Routes that emails lead to; without a key."""

from django.urls import path

from gateway.tracking.pages import click_redirect, open_picture

urlpatterns = [
    path("t/<str:token>.gif", open_picture, name="tracked-open"),
    path("l/<str:token>/", click_redirect, name="tracked-click"),
]
