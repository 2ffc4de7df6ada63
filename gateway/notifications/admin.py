"""Admin pages of notifications: to look at, with addresses masked."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from carillon.contracts import ids
from carillon.contracts.channels import CHANNELS
from gateway.notifications.models import Notification
from gateway.notifications.presentation import recipient_of


class ChannelFilter(admin.SimpleListFilter):
    """By channel, from the table of channels: looking for those in use would read every row."""

    title = "channel"
    parameter_name = "channel"

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[str, str]]:
        """The channels."""
        return [(name, name) for name in CHANNELS]

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[Notification]"
    ) -> "QuerySet[Notification]":
        """Those of the chosen one."""
        return queryset.filter(channel=self.value()) if self.value() else queryset


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
    list_filter = ("status", ChannelFilter, "mode", "lane")
    list_select_related = ("organization", "content")
    # Ids sort by time, and have an index over all organizations.
    ordering = ("-id",)
    search_fields = ("request_id__exact", "correlation_id__exact", "user_id__exact")
    search_help_text = "A whole notification id, request_id, correlation id or user id."
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

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Notification]", search_term: str
    ) -> "tuple[QuerySet[Notification], bool]":
        """An id is looked up as one."""
        if ids.parse_id(ids.NOTIFICATION, search_term) is not None:
            return queryset.filter(pk=search_term), False
        return super().get_search_results(request, queryset, search_term)

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
