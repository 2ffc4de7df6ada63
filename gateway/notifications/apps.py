"""Django's registration of the app."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """See the package's docstring."""

    name = "gateway.notifications"
    label = "notifications"
