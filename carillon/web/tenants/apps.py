"""Django's registration of the app."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Organizations as the gateway told us of them."""

    name = "carillon.web.tenants"
    label = "tenants"
    verbose_name = "Organizations"
