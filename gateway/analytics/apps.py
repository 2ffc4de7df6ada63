"""Django's registration of the app."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """See the package's docstring."""

    name = "gateway.analytics"
    label = "analytics"
