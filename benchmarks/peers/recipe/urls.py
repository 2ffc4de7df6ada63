"""The recipe's routes."""

from django.urls import path

from recipe.views import BulkApi, NotifyApi

urlpatterns = [
    path("v1/notify/", NotifyApi.as_view()),
    path("v1/notify/bulk/", BulkApi.as_view()),
]
