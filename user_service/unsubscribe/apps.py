"""Django's registration of the app: it has templates, and no models."""

from django.apps import AppConfig


class UnsubscribeConfig(AppConfig):
    """See the package's docstring."""

    name = "user_service.unsubscribe"
    label = "unsubscribe"
    verbose_name = "Unsubscribe links"
