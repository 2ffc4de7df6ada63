"""Admin pages: to see whom the gateway has not cleared yet."""

from django.contrib import admin
from django.http import HttpRequest

from user_service.erasure.models import PendingErasure
from user_service.read_only_admin import ReadOnlyAdmin


@admin.register(PendingErasure)
class PendingErasureAdmin(ReadOnlyAdmin, admin.ModelAdmin[PendingErasure]):
    """Empty while all is well."""

    list_display = ("user_id", "requested_at", "attempts", "due_at", "organization_id")
    list_per_page = 50
    fields = list_display

    def has_delete_permission(
        self, request: HttpRequest, obj: PendingErasure | None = None
    ) -> bool:
        """Never: what was promised is kept."""
        return False
