"""Admin pages."""

from django.contrib import admin
from django.http import HttpRequest

from carillon.web.tenants.models import Organization


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin[Organization]):
    """To look at: the gateway's word counts."""

    list_display = ("name", "id", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name",)
    readonly_fields = ("id", "name", "is_active", "created_at", "updated_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Organizations come from the gateway."""
        return False
