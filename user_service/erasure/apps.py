"""Django's registration of the app."""

from django.apps import AppConfig


class ErasureConfig(AppConfig):
    """See the package's docstring."""

    name = "user_service.erasure"
    label = "erasure"
    verbose_name = "Erasures"
