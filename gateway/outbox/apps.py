"""Django's registration of the app."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """See the package's docstring."""

    name = "gateway.outbox"
    label = "outbox"
