"""Admin pages: to look at, and to release."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from carillon.web.read_only_admin import UneditedAdmin
from user_service.suppressions.models import Suppression
from user_service.suppressions.services.changes import release


@admin.register(Suppression)
class SuppressionAdmin(UneditedAdmin, admin.ModelAdmin[Suppression]):
    """Suppressed addresses of every organization."""

    list_display = ("known_as", "channel", "reason", "source", "organization", "created_at", "id")
    list_display_links = ("known_as", "id")
    list_select_related = ("organization",)
    list_filter = ("reason", "channel", "created_at")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("address", "organization__name")
    search_help_text = "The address or the organization."
    fields = ("id", "organization", "channel", "address", "reason", "source", "note", "created_at")
    readonly_fields = ("id", "created_at")

    @admin.display(description="address", ordering="address")
    def known_as(self, suppression: Suppression) -> str:
        """The address, unless it was erased: then it is known by its digest alone."""
        return suppression.address or "(erased)"

    def delete_model(self, request: HttpRequest, obj: Suppression) -> None:
        """Through the service, so that the caches know."""
        release(obj.organization_id, obj.id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> None:
        """Each through the service."""
        for suppression in list(queryset):
            self.delete_model(request, suppression)
