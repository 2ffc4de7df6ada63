"""Routes about provider accounts."""

from django.urls import path

from gateway.provider_accounts.apis.accounts import ProviderAccountApi, ProviderAccountsApi
from gateway.provider_accounts.apis.verification import ProviderAccountVerifyApi
from gateway.provider_accounts.apis.workers import WorkerAccountsApi, WorkerVerificationApi

urlpatterns = [
    path("api/v1/provider-accounts/", ProviderAccountsApi.as_view()),
    path("api/v1/provider-accounts/<str:provider_account_id>/", ProviderAccountApi.as_view()),
    path(
        "api/v1/provider-accounts/<str:provider_account_id>/verify/",
        ProviderAccountVerifyApi.as_view(),
    ),
    path("internal/provider-accounts/", WorkerAccountsApi.as_view()),
    path(
        "internal/provider-accounts/<str:provider_account_id>/verifications/"
        "<uuid:verification_id>/",
        WorkerVerificationApi.as_view(),
    ),
]
