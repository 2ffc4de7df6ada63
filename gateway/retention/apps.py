"""Django's registration of the app."""

from django.apps import AppConfig


class RetentionConfig(AppConfig):
    """See the package's docstring."""

    name = "gateway.retention"
    label = "retention"
