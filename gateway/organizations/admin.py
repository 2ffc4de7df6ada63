"""Admin pages of organizations and their keys: no secret is shown, and changes hold at once."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from carillon.contracts.messages import Mode
from gateway.organizations.keys import NewKey
from gateway.organizations.models import APIKey, Organization, Scope
from gateway.organizations.services import (
    CacheNotTold,
    create_api_key,
    deactivate_api_key,
    save_api_key,
    save_organization,
)
from gateway.organizations.synchronization import OrganizationCopy, tell_services


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin[Organization]):
    """Organizations; new ones come from `manage.py create_org`, which also tells the services."""

    list_display = ("name", "id", "plan", "monthly_quota", "is_active", "active_keys", "created_at")
    list_filter = ("plan", "is_active")
    search_fields = ("name",)
    # The organization's own choice, through the API.
    readonly_fields = ("id", "contact_email", "platform_stand_ins", "created_at", "updated_at")
    fields = (
        "id",
        "name",
        "contact_email",
        "plan",
        "monthly_quota",
        "is_active",
        "platform_stand_ins",
        "created_at",
        "updated_at",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """See above."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        """Its notifications would be orphans; deactivate it instead."""
        return False

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Organization]":
        """With the number of keys, in one query."""
        active = Count("api_keys", filter=Q(api_keys__is_active=True))
        return super().get_queryset(request).annotate(active_keys=active)

    @admin.display(description="active keys")
    def active_keys(self, organization: Organization) -> int:
        """How many keys work."""
        return int(organization.active_keys)  # type: ignore[attr-defined]

    def save_model(self, request: HttpRequest, obj: Organization, form: Any, change: bool) -> None:
        """Save, make the keys follow, tell the services."""
        _telling(request, lambda: save_organization(obj))
        failed = tell_services(OrganizationCopy(obj.pk, obj.name, obj.is_active))
        if failed:
            messages.warning(
                request,
                f"No answer from {' and '.join(failed)}: run `manage.py sync_org {obj.pk}` later.",
            )


class APIKeyForm(forms.ModelForm[APIKey]):
    """Scopes to tick, in place of words to type."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, scope.value) for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.SEND.value, Scope.READ.value],
        help_text="What the key may do; admin includes the rest.",
    )

    class Meta:
        model = APIKey
        fields = ("organization", "name", "mode", "scopes", "expires_at", "is_active")


@admin.register(APIKey)
class APIKeyAdmin(admin.ModelAdmin[APIKey]):
    """Keys: to make, to name and to deactivate."""

    form = APIKeyForm

    list_display = (
        "prefix",
        "name",
        "organization_name",
        "mode",
        "granted",
        "is_active",
        "expires_at",
        "last_used_at",
    )
    list_filter = ("mode", "is_active")
    list_select_related = ("organization",)
    search_fields = ("prefix", "name", "organization__name")
    autocomplete_fields = ("organization",)
    actions = ("deactivate",)

    @admin.display(description="organization", ordering="organization__name")
    def organization_name(self, key: APIKey) -> str:
        """Cut, so that the other columns are seen."""
        return key.organization.short_name

    @admin.display(description="scopes")
    def granted(self, key: APIKey) -> str:
        """In words and not as a list of Python's."""
        return ", ".join(key.scopes)

    def has_delete_permission(self, request: HttpRequest, obj: APIKey | None = None) -> bool:
        """Its cached record would live on; deactivate it instead."""
        return False

    def get_fields(self, request: HttpRequest, obj: APIKey | None = None) -> Any:
        """Never the digest."""
        made = ("organization", "name", "mode", "scopes", "expires_at")
        if obj is None:
            return made
        return ("prefix", *made, "is_active", "replaced_by", "last_used_at", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: APIKey | None = None) -> Any:
        """What a key is for does not change."""
        if obj is None:
            return ()
        return ("prefix", "organization", "mode", "replaced_by", "last_used_at", "created_at")

    def save_model(self, request: HttpRequest, obj: APIKey, form: Any, change: bool) -> None:
        """A new key's text goes into the answer, and nowhere else."""
        if change:
            _telling(request, lambda: save_api_key(obj))
            return
        stored, key = create_api_key(
            obj.organization,
            mode=Mode(obj.mode),
            name=obj.name,
            scopes=obj.scopes,
            expires_at=obj.expires_at,
        )
        obj.pk, obj.prefix = stored.pk, stored.prefix
        request.new_api_key = key  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: APIKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The page that shows the key. Not a message: those are kept in a cookie."""
        key: NewKey = request.new_api_key  # type: ignore[attr-defined]
        context = {
            **self.admin_site.each_context(request),
            "title": "API key created",
            "key": obj,
            "text": key.text,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/organizations/apikey/created.html", context)

    @admin.action(description="Deactivate selected keys", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: "QuerySet[APIKey]") -> None:
        """Each fails from its very next request on."""
        count = 0
        for key in queryset:
            _telling(request, lambda key=key: deactivate_api_key(key))
            count += 1
        messages.success(request, f"{count} key(s) deactivated.")


def _telling(request: HttpRequest, change: Any) -> None:
    """Make a change; where the cache could not be told, say so: the change itself is stored."""
    try:
        change()
    except CacheNotTold as error:
        messages.warning(request, error.message)
