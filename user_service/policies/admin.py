"""Admin pages: to look at. Changes go through the API, which checks them."""

from django.contrib import admin
from django.http import HttpRequest

from user_service.policies.models import Policy
from user_service.read_only_admin import ReadOnlyAdmin


@admin.register(Policy)
class PolicyAdmin(ReadOnlyAdmin, admin.ModelAdmin[Policy]):
    """What organizations decided for their users."""

    list_display = ("organization", "updated_at")
    list_select_related = ("organization",)
    search_fields = ("organization__name",)
    search_help_text = "The organization's name."
    fields = ("organization", "preferences", "categories", "revision", "updated_at")
    readonly_fields = ("revision", "updated_at")

    def has_delete_permission(self, request: HttpRequest, obj: Policy | None = None) -> bool:
        """The API takes back what was decided, and tells the cache."""
        return False
