"""Routes of the users app."""

from django.urls import path

from user_service.users.apis.devices import DeviceDeleteApi, DeviceListCreateApi
from user_service.users.apis.imports import UserImportApi
from user_service.users.apis.internal import DeviceDisableApi, UserRecordApi, UserRecordBatchApi
from user_service.users.apis.preferences import PreferenceHistoryApi, UserPreferencesApi
from user_service.users.apis.users import UserBatchApi, UserDetailApi, UserListCreateApi

_USERS = "api/v1/users/"
_USER = _USERS + "<str:identifier>/"

urlpatterns = [
    path(_USERS, UserListCreateApi.as_view(), name="users"),
    # Before the identifiers; `user_service.users.rules` reserves both words.
    path(_USERS + "batch/", UserBatchApi.as_view(), name="user-batch"),
    path(_USERS + "import/", UserImportApi.as_view(), name="user-import"),
    path(_USER, UserDetailApi.as_view(), name="user"),
    path(_USER + "preferences/", UserPreferencesApi.as_view(), name="user-preferences"),
    path(
        _USER + "preferences/history/",
        PreferenceHistoryApi.as_view(),
        name="user-preference-history",
    ),
    path(_USER + "devices/", DeviceListCreateApi.as_view(), name="user-devices"),
    path(_USER + "devices/<str:device_id>/", DeviceDeleteApi.as_view(), name="user-device"),
    path(
        "internal/devices/<str:device_id>/disable/",
        DeviceDisableApi.as_view(),
        name="device-disable",
    ),
    path("internal/users/batch/", UserRecordBatchApi.as_view(), name="user-record-batch"),
    path("internal/users/<str:identifier>/", UserRecordApi.as_view(), name="user-record"),
]
