"""Django's registration of the app."""

from django.apps import AppConfig


class CallbacksConfig(AppConfig):
    """See the package's docstring."""

    name = "gateway.callbacks"
    label = "callbacks"
    verbose_name = "Callbacks"
