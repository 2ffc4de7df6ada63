"""Admin pages of notifications: to look at, with addresses masked."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from gateway.notifications.models import Notification
from gateway.notifications.presentation import recipient_of


@admin.register(Notification)
class NotificationAdmin(admin.ModelAdmin[Notification]):
    """Status and history; what was said stays unseen."""

    list_display = (
        "id",
        "organization",
        "channel",
        "status",
        "reason",
        "recipient",
        "template_code",
        "priority",
        "lane",
        "created_at",
    )
    list_filter = ("status", "channel", "mode", "lane")
    list_select_related = ("organization", "content")
    search_fields = ("request_id", "correlation_id", "user_id")
    date_hierarchy = "created_at"
    # Counting millions of rows for a number that nobody reads.
    show_full_result_count = False
    fields = (
        "id",
        "organization",
        "request_id",
        "correlation_id",
        "channel",
        "mode",
        "status",
        "reason",
        "error_message",
        "recipient",
        "user_id",
        "template_code",
        "template_version",
        "language",
        "category",
        "priority",
        "lane",
        "delivery",
        "attempt",
        "provider",
        "provider_message_id",
        "created_at",
        "scheduled_at",
        "queued_at",
        "sent_at",
        "delivered_at",
        "next_attempt_at",
        "expires_at",
        "updated_at",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Notification]":
        """With what `recipient` and the organization need."""
        return super().get_queryset(request).select_related("organization", "content")

    @admin.display(description="recipient")
    def recipient(self, notification: Notification) -> str:
        """Masked: support recognises an address, nobody copies it."""
        return recipient_of(notification, masked=True) or "-"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The API accepts notifications."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Notification | None = None) -> bool:
        """The state machine moves them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Notification | None = None) -> bool:
        """Retention clears them."""
        return False
