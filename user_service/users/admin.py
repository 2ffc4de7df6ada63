"""Admin pages: to look at, and to erase. Changes go through the API, which checks them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from carillon.contracts import ids
from carillon.observability.masking import mask_address
from carillon.web.read_only_admin import UneditedAdmin
from user_service.admin_words import lines, on_and_off
from user_service.choices import effective
from user_service.policies.selectors import policy_of
from user_service.users.models import Device, PreferenceChange, User
from user_service.users.services.devices import delete_device
from user_service.users.services.users import delete_user


def _device_token(device: Device) -> str:
    return mask_address(device.token)


class DeviceInline(UneditedAdmin, admin.TabularInline[Device, User]):
    """A user's devices, on the user's page."""

    model = Device
    fields = ("id", "platform", "masked_token", "created_at", "registered_at", "disabled_at")
    readonly_fields = fields
    extra = 0
    can_delete = False
    show_change_link = True

    @admin.display(description="token")
    def masked_token(self, device: Device) -> str:
        """Enough to recognise."""
        return _device_token(device)


class PreferenceChangeInline(UneditedAdmin, admin.TabularInline[PreferenceChange, User]):
    """What a user changed their mind about, the newest first."""

    model = PreferenceChange
    fields = ("at", "source", "changed", "correlation_id")
    readonly_fields = fields
    extra = 0
    can_delete = False
    verbose_name_plural = "history of preferences"

    @admin.display(description="changes")
    def changed(self, change: PreferenceChange) -> SafeString:
        """Each field, before and after."""
        return lines((one["field"], f"{one['before']} → {one['after']}") for one in change.changes)


@admin.register(User)
class UserAdmin(UneditedAdmin, admin.ModelAdmin[User]):
    """Users of every organization."""

    list_display = ("email", "name", "phone_number", "external_id", "organization", "id")
    list_display_links = ("email", "id")
    list_select_related = ("organization",)
    list_filter = ("created_at",)
    list_per_page = 50
    # A second count of the whole table with every search.
    show_full_result_count = False
    search_fields = ("name", "email", "external_id", "phone_number", "organization__name")
    search_help_text = "Name, email, phone number, external id, organization, or a whole user id."
    inlines = (DeviceInline, PreferenceChangeInline)
    fieldsets = (
        (None, {"fields": ("id", "organization", "external_id", "name")}),
        ("Addresses", {"fields": ("email", "phone_number", "language", "timezone")}),
        ("Preferences", {"fields": ("channels", "said_of_categories", "said_of_hours")}),
        ("Data", {"fields": ("attributes", "has_password", "revision")}),
        ("Times", {"fields": ("created_at", "updated_at")}),
    )
    readonly_fields = (
        *("id", "channels", "said_of_categories", "said_of_hours"),
        *("has_password", "revision", "created_at", "updated_at"),
    )

    @admin.display(description="channels")
    def channels(self, user: User) -> str:
        """Every channel, as it is in force."""
        defaults = policy_of(user.organization_id).preferences
        return on_and_off(effective(user.preferences, defaults))

    @admin.display(description="categories")
    def said_of_categories(self, user: User) -> SafeString:
        """What the user said of each."""
        return lines(
            (code, on_and_off(choices)) for code, choices in sorted(user.categories.items())
        )

    @admin.display(description="quiet hours")
    def said_of_hours(self, user: User) -> SafeString:
        """By weekday, on the clock of the user's time zone."""
        return lines(
            (day, ", ".join(f"{window['start']} to {window['end']}" for window in windows))
            for day, windows in user.quiet_hours.items()
        )

    @admin.display(description="has a password", boolean=True)
    def has_password(self, user: User) -> bool:
        """Whether; the hash is nobody's business."""
        return bool(user.password)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """A whole id finds its user; any other text is searched for."""
        if ids.parse_id(ids.USER, search_term.strip()):
            return queryset.filter(id=search_term.strip()), False
        return super().get_search_results(request, queryset, search_term)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Through the service, so that the cache knows."""
        delete_user(obj.organization_id, obj.id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Each through the service."""
        for organization_id, user_id in list(queryset.values_list("organization_id", "id")):
            delete_user(organization_id, user_id)


@admin.register(Device)
class DeviceAdmin(UneditedAdmin, admin.ModelAdmin[Device]):
    """Devices of every user."""

    list_display = ("id", "platform", "masked_token", "owner", "organization", "registered_at")
    list_select_related = ("user", "organization")
    list_filter = ("platform", "registered_at")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("user__email", "user__name", "user__external_id", "organization__name")
    search_help_text = "The user's name, email or external id, or the organization."
    fields = (
        "id",
        "organization",
        "user",
        "platform",
        "masked_token",
        "created_at",
        "registered_at",
    )
    readonly_fields = fields

    @admin.display(description="user", ordering="user")
    def owner(self, device: Device) -> str:
        """What of the user is known, with a link."""
        user = device.user
        shown = user.email or user.external_id or user.name or user.id
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:users_user_change", args=[user.id]), shown
        )

    @admin.display(description="token")
    def masked_token(self, device: Device) -> str:
        """Enough to recognise."""
        return _device_token(device)

    def delete_model(self, request: HttpRequest, obj: Device) -> None:
        """Through the service, so that the cache knows."""
        delete_device(obj.organization_id, obj.user_id, obj.id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Device]) -> None:
        """Each through the service."""
        for device in list(queryset):
            self.delete_model(request, device)
