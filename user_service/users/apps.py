"""Django's registration of the app."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """See the package's docstring."""

    name = "user_service.users"
    label = "users"
    # "Users" are already those who log in here.
    verbose_name = "Recipients"
