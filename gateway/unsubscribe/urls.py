"""The one public route that needs no key and is no API."""

from django.urls import path

from gateway.unsubscribe.pages import link_page

urlpatterns = [path("u/<str:token>/", link_page, name="link-page")]
