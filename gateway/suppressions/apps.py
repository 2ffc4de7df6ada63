"""Django's registration of the app."""

from django.apps import AppConfig


class SuppressionsConfig(AppConfig):
    """See the package's docstring."""

    name = "gateway.suppressions"
    label = "suppressions"
    verbose_name = "Suppressions"
