"""Routes of the suppressions app."""

from django.urls import path

from user_service.suppressions.apis.internal import SuppressionCheckApi, SuppressionReportApi
from user_service.suppressions.apis.suppressions import (
    SuppressionDetailApi,
    SuppressionImportApi,
    SuppressionListCreateApi,
)

_SUPPRESSIONS = "api/v1/suppressions/"

urlpatterns = [
    path(_SUPPRESSIONS, SuppressionListCreateApi.as_view(), name="suppressions"),
    path(_SUPPRESSIONS + "import/", SuppressionImportApi.as_view(), name="suppression-import"),
    path(
        _SUPPRESSIONS + "<str:suppression_id>/",
        SuppressionDetailApi.as_view(),
        name="suppression",
    ),
    path("internal/suppressions/", SuppressionReportApi.as_view(), name="suppression-report"),
    path("internal/suppressions/check/", SuppressionCheckApi.as_view(), name="suppression-check"),
]
