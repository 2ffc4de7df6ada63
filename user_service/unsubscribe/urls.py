"""Routes of the unsubscribe app."""

from django.urls import path

from user_service.unsubscribe.apis import LinkPageApi

urlpatterns = [
    path("internal/links/<str:token>/", LinkPageApi.as_view(), name="link-page"),
]
