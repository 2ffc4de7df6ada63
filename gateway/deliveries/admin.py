"""Admin pages of dead letters: what failed, with addresses masked, and sending it again."""

from collections import Counter

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from carillon.contracts import ids
from carillon.observability.masking import mask_text
from carillon.web.errors import ApiError
from carillon.web.read_only_admin import ReadOnlyAdmin
from gateway.deliveries.models import DeadLetter
from gateway.deliveries.services.replay import replay_dead_letter
from gateway.notifications.admin_pages import CappedPaginator
from gateway.notifications.models import Notification
from gateway.notifications.services.locking import Authority
from gateway.organizations.models import Organization

# One by one, while the browser waits; more is for the API, which spreads them over time.
AT_ONCE = 200
ERROR_CHARACTERS = 120


class ReplayedFilter(admin.SimpleListFilter):
    """Whether somebody has replayed it."""

    title = "replayed"
    parameter_name = "replayed"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Yes and no."""
        return [("no", "No"), ("yes", "Yes")]

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[DeadLetter]"
    ) -> "QuerySet[DeadLetter]":
        """All, where nothing is chosen."""
        if self.value() is None:
            return queryset
        return queryset.filter(replayed_at__isnull=self.value() != "yes")


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin, admin.ModelAdmin[DeadLetter]):
    """Failures; what was said, and to whom, stays unseen.

    They go with their notifications. Replaying has a permission of its own.
    """

    list_display = (
        "id",
        "reason",
        "error",
        "channel",
        "template_code",
        "status",
        "organization_name",
        "created_at",
        "replayed_at",
    )
    list_filter = (ReplayedFilter, "reason", "notification__channel", "notification__mode")
    list_select_related = ("organization", "notification")
    # What is searched, and how, is decided below.
    search_fields = ("notification__request_id",)
    search_help_text = "A whole dead letter's or notification's id, or a request_id."
    # Ids sort by time, and have an index over all organizations.
    ordering = ("-id",)
    paginator = CappedPaginator
    # Counting each of a filter's choices would read every row, once for each.
    show_facets = admin.ShowFacets.NEVER
    # Counting millions of rows for a number that nobody reads.
    show_full_result_count = False
    fields = (
        "id",
        "organization",
        "notification",
        "channel",
        "template_code",
        "reason",
        "error",
        "attempts",
        "status",
        "created_at",
        "replayed_at",
    )
    readonly_fields = fields
    actions = ("replay",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[DeadLetter]":
        """With what the columns need."""
        return super().get_queryset(request).select_related("organization", "notification")

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[DeadLetter]", search_term: str
    ) -> "tuple[QuerySet[DeadLetter], bool]":
        """By an index: request ids are the organizations' own."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if ids.parse_id(ids.DEAD_LETTER, term) is not None:
            return queryset.filter(pk=term), False
        if ids.parse_id(ids.NOTIFICATION, term) is not None:
            return queryset.filter(notification_id=term), False
        organizations = list(Organization.objects.values_list("pk", flat=True))
        found = Notification.objects.filter(organization_id__in=organizations, request_id=term)
        return queryset.filter(notification_id__in=found.values("pk")), False

    @admin.display(description="organization")
    def organization_name(self, letter: DeadLetter) -> str:
        """Cut, so that the other columns are seen."""
        return letter.organization.short_name

    @admin.display(description="channel")
    def channel(self, letter: DeadLetter) -> str:
        """The notification's."""
        return letter.notification.channel

    @admin.display(description="template")
    def template_code(self, letter: DeadLetter) -> str:
        """The notification's."""
        return letter.notification.template_code or "-"

    @admin.display(description="status today")
    def status(self, letter: DeadLetter) -> str:
        """The notification's."""
        return letter.notification.status

    @admin.display(description="error")
    def error(self, letter: DeadLetter) -> str:
        """Cut, and masked: providers like to repeat the address."""
        text = mask_text(letter.error_message)
        if len(text) > ERROR_CHARACTERS:
            text = f"{text[: ERROR_CHARACTERS - 1]}…"
        return text or "-"

    @admin.action(description="Replay: send the notifications again", permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: "QuerySet[DeadLetter]") -> None:
        """Each at once; what cannot be replayed is named by its reason."""
        chosen = list(queryset.values_list("organization_id", "pk")[: AT_ONCE + 1])
        if len(chosen) > AT_ONCE:
            messages.error(
                request,
                f"At most {AT_ONCE} at once here. POST /api/v1/dead-letters/replay/ takes "
                "thousands, and spreads them over time.",
            )
            return
        results: Counter[str] = Counter()
        refused: Counter[str] = Counter()
        for organization_id, dead_letter_id in chosen:
            try:
                replay = replay_dead_letter(Authority(organization_id), dead_letter_id)
            except ApiError as refusal:
                refused[refusal.message] += 1
            else:
                results["replayed before" if replay.repeated else _outcome(replay.letter)] += 1
        for what, count in results.items():
            messages.success(request, f"{count} {what}.")
        for why, count in refused.items():
            messages.warning(request, f"{count} not replayed: {why}")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Who may change dead letters may replay them."""
        return request.user.has_perm("deliveries.change_deadletter")


def _outcome(letter: DeadLetter) -> str:
    return f"{letter.notification.status} again"
