"""Routes to the internal services."""

from django.urls import path

from gateway.forwarding.apis import view_of
from gateway.forwarding.resources import RESOURCES

urlpatterns = [path(resource.path, view_of(resource)) for resource in RESOURCES]
