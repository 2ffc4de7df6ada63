"""Admin pages of batches: to look at."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from carillon.contracts import ids
from carillon.web.read_only_admin import ReadOnlyAdmin
from gateway.batches.models import Batch
from gateway.batches.presentation import state_of
from gateway.batches.selectors import progress_of


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin, admin.ModelAdmin[Batch]):
    """What was asked for and how far it is; refusals may quote clients, and stay unseen.

    The API accepts them, and their notifications name them.
    """

    list_display = (
        "id",
        "organization",
        "channel",
        "template_code",
        "accepted",
        "rejected",
        "replayed",
        "refused",
        "created_at",
        "cancelled_at",
    )
    list_filter = ("mode",)
    list_select_related = ("organization",)
    # Ids sort by time, and have an index over all organizations.
    ordering = ("-id",)
    search_fields = ("request_id__exact", "correlation_id__exact")
    search_help_text = "A whole batch id, request_id or correlation id."
    # Counting every row for a number that nobody reads.
    show_full_result_count = False
    fields = (
        "id",
        "organization",
        "request_id",
        "correlation_id",
        "channel",
        "mode",
        "template_code",
        "category",
        "priority",
        "accepted",
        "rejected",
        "replayed",
        "refused",
        "progress",
        "created_at",
        "scheduled_at",
        "expires_at",
        "cancelled_at",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Batch]":
        """Without what is not shown, which may be large."""
        return super().get_queryset(request).defer("refusals", "request_digest")

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Batch]", search_term: str
    ) -> "tuple[QuerySet[Batch], bool]":
        """An id is looked up as one."""
        if ids.parse_id(ids.BATCH, search_term) is not None:
            return queryset.filter(pk=search_term), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="progress")
    def progress(self, batch: Batch) -> str:
        """On the page of one batch alone."""
        found = progress_of(batch)
        counts = ", ".join(f"{many} {status.value}" for status, many in found.counts.items())
        return f"{state_of(batch, found).value}: {counts or 'no notifications'}"
