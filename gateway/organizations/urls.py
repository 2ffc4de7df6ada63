"""Routes about an organization and its keys."""

from django.urls import path

from gateway.organizations.apis.api_keys import APIKeyDeactivateApi, APIKeysApi
from gateway.organizations.apis.organization import OwnOrganizationApi
from gateway.organizations.apis.registration import OrganizationRegisterApi
from gateway.organizations.apis.rotation import APIKeyRotateApi
from gateway.organizations.apis.usage import UsageApi

urlpatterns = [
    path("api/v1/api-keys/", APIKeysApi.as_view()),
    path("api/v1/api-keys/<str:key_id>/deactivate/", APIKeyDeactivateApi.as_view()),
    path("api/v1/api-keys/<str:key_id>/rotate/", APIKeyRotateApi.as_view()),
    path("api/v1/organizations/register/", OrganizationRegisterApi.as_view()),
    path("api/v1/organizations/me/", OwnOrganizationApi.as_view()),
    path("api/v1/organizations/me/usage/", UsageApi.as_view()),
]
