"""Routes of bulk requests; before those of notifications, whose ids would match `bulk`."""

from django.urls import path

from gateway.batches.apis.batches import BatchApi, BatchCancelApi, BatchesApi
from gateway.batches.apis.bulk import BulkApi

urlpatterns = [
    path("api/v1/notifications/bulk/", BulkApi.as_view()),
    path("api/v1/batches/", BatchesApi.as_view()),
    path("api/v1/batches/<str:batch_id>/", BatchApi.as_view()),
    path("api/v1/batches/<str:batch_id>/cancel/", BatchCancelApi.as_view()),
]
