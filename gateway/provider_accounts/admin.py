"""Admin page: which accounts there are and whether they work. Nobody needs to look at a secret."""

from datetime import UTC, datetime

from django.contrib import admin

from carillon.web.read_only_admin import ReadOnlyAdmin
from gateway.provider_accounts.models import ProviderAccount
from gateway.provider_accounts.presentation import show_verification


@admin.register(ProviderAccount)
class ProviderAccountAdmin(ReadOnlyAdmin, admin.ModelAdmin[ProviderAccount]):
    """To look at; their owners change them through the API.

    Were one deleted, the platform's own providers would send in its place.
    """

    list_display = (
        "name",
        "organization_name",
        "channel",
        "provider",
        "verification",
        "is_active",
        "checked",
    )
    list_filter = ("channel", "provider", "is_active", "verification_status")
    list_select_related = ("organization",)
    list_per_page = 50
    search_fields = ("=id", "=organization__id", "organization__name")
    # Never the sealed credentials.
    fields = (
        "id",
        "organization_name",
        "channel",
        "provider",
        "name",
        "sender",
        "position",
        "weight",
        "rate_per_second",
        "is_active",
        "verification",
        "verification_told",
        "verification_requested_at",
        "verification_checked_at",
        "created_at",
        "updated_at",
    )
    readonly_fields = fields

    @admin.display(description="organization", ordering="organization__name")
    def organization_name(self, account: ProviderAccount) -> str:
        """Cut, so that the other columns are seen."""
        return account.organization.short_name

    @admin.display(description="verification", ordering="verification_status")
    def verification(self, account: ProviderAccount) -> str:
        """As the API shows it."""
        shown = show_verification(account, datetime.now(UTC))
        return f"{shown.status}: {shown.reason}" if shown.reason else shown.status

    @admin.display(description="checked", ordering="verification_checked_at")
    def checked(self, account: ProviderAccount) -> datetime | None:
        """When the last check ended."""
        return account.verification_checked_at

    @admin.display(description="what was found")
    def verification_told(self, account: ProviderAccount) -> str:
        """In words, with the provider's code if it gave one."""
        shown = show_verification(account, datetime.now(UTC))
        code = f" ({shown.code})" if shown.code else ""
        return f"{shown.message or '-'}{code}"
