"""Django's registration of the app."""

from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    """See the package's docstring."""

    name = "user_service.policies"
    label = "policies"
    verbose_name = "Policies"
