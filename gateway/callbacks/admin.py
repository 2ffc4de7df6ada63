"""Admin pages: to see what providers reported and what waits for its message."""

from django.contrib import admin

from carillon.web.read_only_admin import ReadOnlyAdmin
from gateway.callbacks.models import CallbackEvent


@admin.register(CallbackEvent)
class CallbackEventAdmin(ReadOnlyAdmin, admin.ModelAdmin[CallbackEvent]):
    """Without `due_at` a report is done with; were it deleted, a repetition would be new."""

    list_display = ("id", "provider", "provider_message_id", "kind", "reason", "received_at")
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-id",)
    fields = (
        *(*list_display, "organization_id", "suppress"),
        *("code", "occurred_at", "tries", "due_at"),
    )
    readonly_fields = fields
