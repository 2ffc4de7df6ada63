"""Admin pages: to look at. Changes go through the API, which checks them."""

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from template_service.templates.models import Template, TemplateVersion


class VersionInline(admin.TabularInline[TemplateVersion, Template]):
    """A template's versions, on its page."""

    model = TemplateVersion
    fields = (
        *("number", "language", "status", "subject", "created_at", "created_by_name"),
        *("published_at", "published_by_name"),
    )
    readonly_fields = fields
    ordering = ("-number",)
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Template | None = None) -> bool:
        """Versions are written through the API."""
        return False


class _ReadOnly:
    """Nothing is added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Through the API."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Through the API."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Templates are archived, through the API."""
        return False


@admin.register(Template)
class TemplateAdmin(_ReadOnly, admin.ModelAdmin[Template]):
    """Templates of every organization."""

    list_display = ("code", "name", "type", "category", "organization", "versions_", "is_archived")
    list_select_related = ("organization",)
    list_filter = ("type", "is_archived", "delivery")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("code", "name", "organization__name")
    search_help_text = "Code, name or organization."
    inlines = (VersionInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        """With the number of versions, in the same query."""
        return super().get_queryset(request).annotate(version_count=Count("versions"))

    @admin.display(description="versions", ordering="version_count")
    def versions_(self, template: Template) -> int:
        """How many there are."""
        return int(getattr(template, "version_count", 0))


@admin.register(TemplateVersion)
class TemplateVersionAdmin(_ReadOnly, admin.ModelAdmin[TemplateVersion]):
    """The words of one version."""

    list_display = (
        *("template", "number", "language", "status", "created_at", "created_by_name"),
        *("published_at", "published_by_name"),
    )
    list_select_related = ("template",)
    list_filter = ("status", "language")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("template__code", "subject")
