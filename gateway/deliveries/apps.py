"""Django's registration of the app."""

from django.apps import AppConfig


class DeliveriesConfig(AppConfig):
    """See the package's docstring."""

    name = "gateway.deliveries"
    label = "deliveries"
