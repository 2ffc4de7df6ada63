"""Admin pages: to look at. Changes go through the API, which checks them."""

import json

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from carillon.web.read_only_admin import ReadOnlyAdmin
from template_service.templates.models import Template, TemplateVersion
from template_service.templates.selectors import published

_FACTS = (
    *("template", "organization", "number", "language", "status", "created_at", "written_by"),
    *("published_at", "published_by_", "parts_in_it", "copy_of", "names", "optional_names"),
)
_WRITTEN = ("subject", "written_content", "written_html", "written_mjml", "provider_template")
_SENT = ("sent_subject", "sent_content", "sent_html")


class VersionInline(admin.TabularInline[TemplateVersion, Template]):
    """A template's versions, on its page."""

    model = TemplateVersion
    fields = (
        *("number", "language", "status", "subject", "created_at", "written_by"),
        *("published_at", "published_by_"),
    )
    readonly_fields = fields
    ordering = ("-number",)
    extra = 0
    can_delete = False
    show_change_link = True

    @admin.display(description="by")
    def written_by(self, version: TemplateVersion) -> str:
        """Whose key, or which command."""
        return _who(version.created_by, version.created_by_name)

    @admin.display(description="by")
    def published_by_(self, version: TemplateVersion) -> str:
        """The same of the last publish."""
        return _who(version.published_by, version.published_by_name)

    def has_add_permission(self, request: HttpRequest, obj: Template | None = None) -> bool:
        """Versions are written through the API."""
        return False


@admin.register(Template)
class TemplateAdmin(ReadOnlyAdmin, admin.ModelAdmin[Template]):
    """Templates of every organization."""

    list_display = ("code", "name", "type", "category", "organization", "versions_", "is_archived")
    list_select_related = ("organization",)
    list_filter = ("type", "is_archived", "delivery")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("code", "name", "organization__name")
    search_help_text = "Code, name or organization."
    fields = (
        *("id", "organization", "code", "name", "description", "type", "category", "delivery"),
        *("track_opens", "track_clicks", "expect_receipt_within", "fallback", "push"),
        *("default_language", "sample", "is_archived", "created_at", "updated_at"),
    )
    readonly_fields = fields
    inlines = (VersionInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        """With the number of versions, in the same query."""
        return super().get_queryset(request).annotate(version_count=Count("versions"))

    @admin.display(description="sample data")
    def sample(self, template: Template) -> str:
        """As JSON that reads well."""
        return _text(json.dumps(template.sample_data, indent=2, ensure_ascii=False))

    @admin.display(description="versions", ordering="version_count")
    def versions_(self, template: Template) -> int:
        """How many there are."""
        return int(getattr(template, "version_count", 0))


@admin.register(TemplateVersion)
class TemplateVersionAdmin(ReadOnlyAdmin, admin.ModelAdmin[TemplateVersion]):
    """The words of one version: as they were written, and as they are sent."""

    list_display = (
        *("template", "organization", "number", "language", "status"),
        *("written_by", "published_at"),
    )
    list_select_related = ("template__organization",)
    list_filter = ("status", "language")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("template__code", "subject", "template__organization__name")
    search_help_text = "Code, subject or organization."
    fieldsets = (
        (None, {"fields": _FACTS}),
        ("As it was written", {"fields": _WRITTEN}),
        ("As it is sent since it was published", {"fields": _SENT}),
    )
    readonly_fields = (*_FACTS, *_WRITTEN, *_SENT)

    @admin.display(ordering="template__organization__name")
    def organization(self, version: TemplateVersion) -> str:
        """Whose."""
        return version.template.organization.name

    @admin.display(description="written by", ordering="created_by_name")
    def written_by(self, version: TemplateVersion) -> str:
        """Whose key, or which command."""
        return _who(version.created_by, version.created_by_name)

    @admin.display(description="published by", ordering="published_by_name")
    def published_by_(self, version: TemplateVersion) -> str:
        """The same of the last publish."""
        return _who(version.published_by, version.published_by_name)

    @admin.display(description="layouts and partials")
    def parts_in_it(self, version: TemplateVersion) -> str:
        """Which versions of them were put in."""
        told = (f"{used['code']} {used['version']} ({used['language']})" for used in version.parts)
        return ", ".join(told) or "-"

    @admin.display(description="variables")
    def names(self, version: TemplateVersion) -> str:
        """With those of the parts."""
        return ", ".join(published(version).variables) or "-"

    @admin.display(description="optional variables")
    def optional_names(self, version: TemplateVersion) -> str:
        """With those of the parts."""
        return ", ".join(published(version).optional_variables) or "-"

    @admin.display(description="content")
    def written_content(self, version: TemplateVersion) -> str:
        """With its lines."""
        return _text(version.content)

    @admin.display(description="HTML")
    def written_html(self, version: TemplateVersion) -> str:
        """With its lines."""
        return _text(version.html_content)

    @admin.display(description="MJML")
    def written_mjml(self, version: TemplateVersion) -> str:
        """With its lines."""
        return _text(version.mjml)

    @admin.display(description="subject")
    def sent_subject(self, version: TemplateVersion) -> str:
        """With parts put in."""
        return published(version).subject if version.published_at else "-"

    @admin.display(description="content")
    def sent_content(self, version: TemplateVersion) -> str:
        """With parts put in; of an email perhaps made of its HTML."""
        return _text(published(version).content if version.published_at else "")

    @admin.display(description="HTML")
    def sent_html(self, version: TemplateVersion) -> str:
        """With parts put in, compiled, rules inlined."""
        return _text(published(version).html_content if version.published_at else "")


def _who(actor_id: str, name: str) -> str:
    return f"{name} ({actor_id})" if name else actor_id or "-"


def _text(text: str) -> str:
    """As it stands, in a box that scrolls; escaped."""
    if not text.strip():
        return "-"
    style = "max-height:24em;max-width:60em;overflow:auto;white-space:pre-wrap;margin:0"
    return format_html('<pre style="{}">{}</pre>', style, text)
