"""Routes that providers call; without a key."""

from django.urls import path

from gateway.callbacks.apis import AccountCallbacksApi
from gateway.callbacks.endpoint import account_callback, callback

urlpatterns = [
    path("callbacks/<str:provider>/", callback, name="callback"),
    # For providers that sign nothing: the address itself is the secret. Or of an account.
    path("callbacks/<str:provider>/<str:token>/", callback, name="callback-token"),
    path(
        "callbacks/<str:provider>/<str:account_id>/<str:token>/",
        account_callback,
        name="account-callback-token",
    ),
    path(
        "api/v1/provider-accounts/<str:provider_account_id>/callbacks/",
        AccountCallbacksApi.as_view(),
    ),
]
