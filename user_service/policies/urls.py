"""Routes of the policies app."""

from django.urls import path

from user_service.policies.apis.categories import CategoryDetailApi, CategoryListCreateApi
from user_service.policies.apis.defaults import PolicyRecordApi, PreferenceDefaultsApi

urlpatterns = [
    path("api/v1/preference-defaults/", PreferenceDefaultsApi.as_view(), name="defaults"),
    path("api/v1/categories/", CategoryListCreateApi.as_view(), name="categories"),
    path("api/v1/categories/<str:code>/", CategoryDetailApi.as_view(), name="category"),
    path("internal/policy/", PolicyRecordApi.as_view(), name="policy-record"),
]
