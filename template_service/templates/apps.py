"""Django's registration of the app."""

from django.apps import AppConfig


class TemplatesConfig(AppConfig):
    """See the package's docstring."""

    name = "template_service.templates"
    label = "templates"
    verbose_name = "Templates"
