"""Routes to the internal services."""

from django.urls import path

from gateway.forwarding import template_operations, user_operations
from gateway.forwarding.apis import view_of

urlpatterns = [
    path(resource.path, view_of(resource))
    for resource in (*user_operations.RESOURCES, *template_operations.RESOURCES)
]
