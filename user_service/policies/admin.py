"""Admin pages: to look at. Changes go through the API, which checks them."""

from django.contrib import admin
from django.utils.safestring import SafeString

from carillon.web.read_only_admin import ReadOnlyAdmin
from user_service.admin_words import lines, on_and_off
from user_service.choices import effective
from user_service.policies.categories import Category
from user_service.policies.models import Policy
from user_service.policies.selectors import all_categories


@admin.register(Policy)
class PolicyAdmin(ReadOnlyAdmin, admin.ModelAdmin[Policy]):
    """What organizations decided for their users; the API takes it back, and tells the cache."""

    list_display = ("organization", "updated_at")
    list_select_related = ("organization",)
    search_fields = ("organization__name",)
    search_help_text = "The organization's name."
    fields = ("organization", "defaults", "decided", "revision", "updated_at")
    readonly_fields = ("defaults", "decided", "revision", "updated_at")

    @admin.display(description="channels")
    def defaults(self, policy: Policy) -> str:
        """Every channel, for those who said nothing."""
        return on_and_off(effective({}, policy.preferences))

    @admin.display(description="categories")
    def decided(self, policy: Policy) -> SafeString:
        """All of them, with what holds of each."""
        return lines((code, _told(found)) for code, found in sorted(all_categories(policy).items()))


def _told(category: Category) -> str:
    """`Offers; essential` or `Tips; email on; at most 2 in 86400 s`."""
    cap = category.frequency_cap
    parts = (
        category.name,
        "essential" if category.essential else "",
        on_and_off(category.preferences),
        f"at most {cap.limit} in {cap.seconds} s" if cap else "",
    )
    return "; ".join(part for part in parts if part)
