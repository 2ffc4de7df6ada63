"""Admin pages: to see what providers reported and what waits for its message."""

from django.contrib import admin
from django.http import HttpRequest

from gateway.callbacks.models import CallbackEvent


@admin.register(CallbackEvent)
class CallbackEventAdmin(admin.ModelAdmin[CallbackEvent]):
    """Without `due_at` a report is done with."""

    list_display = ("id", "provider", "provider_message_id", "kind", "reason", "received_at")
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-id",)
    fields = (
        *(*list_display, "organization_id", "suppress"),
        *("code", "occurred_at", "tries", "due_at"),
    )
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: providers report."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: CallbackEvent | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CallbackEvent | None = None) -> bool:
        """Never: a repetition would be new."""
        return False
