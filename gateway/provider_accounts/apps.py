"""Django's registration of the app."""

from django.apps import AppConfig


class ProviderAccountsConfig(AppConfig):
    """See the package's docstring."""

    name = "gateway.provider_accounts"
    label = "provider_accounts"
    verbose_name = "Provider accounts"
