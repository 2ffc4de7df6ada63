"""Admin pages: to look at what was sent in place of what, or why not."""

from django.contrib import admin

from carillon.observability.masking import mask_text
from carillon.web.read_only_admin import ReadOnlyAdmin
from gateway.fallbacks.models import Fallback
from gateway.notifications.admin_pages import CappedPaginator


@admin.register(Fallback)
class FallbackAdmin(ReadOnlyAdmin, admin.ModelAdmin[Fallback]):
    """What happened; the events process decides, and it goes with its notification."""

    list_display = (
        *("notification_id", "cause", "channel", "template_code", "status", "reason"),
        *("child_id", "created_at", "settled_at"),
    )
    list_filter = ("status", "channel")
    list_per_page = 50
    # Ids sort by time, and have an index.
    ordering = ("-notification_id",)
    paginator = CappedPaginator
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    fields = (*list_display, "told", "tries", "due_at")
    readonly_fields = fields

    @admin.display(description="message")
    def told(self, fallback: Fallback) -> str:
        """Masked, as all that errors say."""
        return mask_text(fallback.message) or "-"
