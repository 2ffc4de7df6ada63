"""Django's registration of the app."""

from django.apps import AppConfig


class FallbacksConfig(AppConfig):
    """See the package's docstring."""

    name = "gateway.fallbacks"
    label = "fallbacks"
    verbose_name = "Fallbacks"
