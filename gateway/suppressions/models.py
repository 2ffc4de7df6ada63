"""What the user service is still to be told."""

from django.db import models

from carillon.contracts import ids
from carillon.web.fields import PrefixedIDField


class AddressReport(models.Model):
    """An address to suppress; the row goes once the user service knows."""

    organization_id = PrefixedIDField(ids.ORGANIZATION)
    channel = models.CharField(max_length=16)
    address = models.CharField(max_length=320)
    # `carillon.contracts.suppressions.SuppressionReason`.
    reason = models.CharField(max_length=20)
    # The provider that said so, and its code.
    source = models.CharField(max_length=32)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    attempts = models.SmallIntegerField(default=0)
    # Not before this time; a process that is at it has put it off already.
    due_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=("due_at",), name="address_report_due"),)

    def __str__(self) -> str:
        """The number: an address is somebody's."""
        return str(self.pk)
