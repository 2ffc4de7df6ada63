"""Admin pages of notifications: to look at, with addresses masked."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from carillon.contracts import ids
from carillon.contracts.channels import CHANNELS
from carillon.observability.masking import mask_text
from carillon.web.read_only_admin import ReadOnlyAdmin
from gateway.notifications.admin_pages import CappedPaginator
from gateway.notifications.models import Notification
from gateway.notifications.presentation import recipient_of
from gateway.organizations.models import Organization

# There is no index of correlation ids: every 202 would pay for a search that is seldom made.
CORRELATED_MOST = 200_000


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
class NotificationAdmin(ReadOnlyAdmin, admin.ModelAdmin[Notification]):
    """Status and history; what was said stays unseen.

    The API accepts notifications, the state machine moves them, retention clears them.
    """

    list_display = (
        "id",
        "status",
        "reason",
        "channel",
        "recipient",
        "template_code",
        "organization_name",
        "created_at",
    )
    list_filter = ("status", ChannelFilter, "mode", "lane")
    list_select_related = ("organization", "content")
    # Ids sort by time, and have an index over all organizations.
    ordering = ("-id",)
    # What is searched, and how, is decided below.
    search_fields = ("request_id",)
    search_help_text = (
        "A whole notification id, request_id or user id; or a correlation id, which is looked for "
        f"among the newest {CORRELATED_MOST:,}."
    )
    paginator = CappedPaginator
    # Counting each of a filter's choices would read every row, once for each.
    show_facets = admin.ShowFacets.NEVER
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
        "error",
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
        """By an index: those of request and user ids are the organizations' own."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if ids.parse_id(ids.NOTIFICATION, term) is not None:
            return queryset.filter(pk=term), False
        organizations = list(Organization.objects.values_list("pk", flat=True))
        known = Notification.objects.filter(organization_id__in=organizations)
        for found in (known.filter(request_id=term), known.filter(user_id=term)):
            if found.exists():
                return queryset.filter(pk__in=found.values("pk")), False
        newest = Notification.objects.order_by("-pk")
        bound = newest.values_list("pk", flat=True)[CORRELATED_MOST : CORRELATED_MOST + 1].first()
        correlated = queryset.filter(correlation_id=term)
        return (correlated.filter(pk__gt=bound) if bound else correlated), False

    @admin.display(description="organization")
    def organization_name(self, notification: Notification) -> str:
        """Cut, so that the other columns are seen."""
        return notification.organization.short_name

    @admin.display(description="recipient")
    def recipient(self, notification: Notification) -> str:
        """Masked: support recognises an address, nobody copies it."""
        return recipient_of(notification, masked=True) or "-"

    @admin.display(description="error message")
    def error(self, notification: Notification) -> str:
        """Masked too: providers like to repeat the address."""
        return mask_text(notification.error_message) or "-"
