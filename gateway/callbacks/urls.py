"""Routes that providers call; without a key."""

from django.urls import path

from gateway.callbacks.endpoint import callback

urlpatterns = [
    path("callbacks/<str:provider>/", callback, name="callback"),
    # For providers that sign nothing: the address itself is the secret.
    path("callbacks/<str:provider>/<str:token>/", callback, name="callback-token"),
]
