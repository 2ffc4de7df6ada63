"""Admin pages: to see whom the gateway has not cleared yet."""

from django.contrib import admin

from carillon.web.read_only_admin import ReadOnlyAdmin
from user_service.erasure.models import PendingErasure


@admin.register(PendingErasure)
class PendingErasureAdmin(ReadOnlyAdmin, admin.ModelAdmin[PendingErasure]):
    """Empty while all is well; what was promised is kept."""

    list_display = ("user_id", "requested_at", "attempts", "due_at", "organization_id")
    list_per_page = 50
    fields = list_display
