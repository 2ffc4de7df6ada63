"""Admin pages: to see what the user service is still to be told."""

from django.contrib import admin

from carillon.observability.masking import mask_address
from carillon.web.read_only_admin import UneditedAdmin
from gateway.suppressions.models import AddressReport


@admin.register(AddressReport)
class AddressReportAdmin(UneditedAdmin, admin.ModelAdmin[AddressReport]):
    """Empty while all is well; deliveries teach."""

    list_display = ("id", "channel", "masked_address", "reason", "source", "attempts", "due_at")
    list_per_page = 50
    fields = (*list_display, "organization_id", "note", "created_at")
    readonly_fields = fields

    @admin.display(description="address")
    def masked_address(self, report: AddressReport) -> str:
        """Enough to recognise."""
        return mask_address(report.address)
