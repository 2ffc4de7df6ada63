"""Suppressed addresses."""

from django.db import models

from carillon.contracts import ids
from carillon.contracts.suppressions import SuppressionReason
from carillon.web.fields import PrefixedIDField
from carillon.web.tenants.models import Organization

SOURCE_LENGTH = 50
NOTE_LENGTH = 200


class Suppression(models.Model):
    """One address on one channel.

    It is known by its digest: when a user is erased the address is cleared here too, and is
    still not sent to.
    """

    id = PrefixedIDField(ids.SUPPRESSION, primary_key=True)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="suppressions", db_index=False
    )
    channel = models.CharField(max_length=20)
    address = models.CharField(max_length=254, blank=True)
    # `carillon.contracts.suppressions.address_digest`.
    digest = models.BinaryField(max_length=32)
    reason = models.CharField(
        max_length=20, choices=[(r.value, r.value) for r in SuppressionReason]
    )
    # Who said so: the API, an import, a provider.
    source = models.CharField(max_length=SOURCE_LENGTH)
    note = models.CharField(max_length=NOTE_LENGTH, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        # Ids sort by time: the newest first.
        ordering = ("-id",)
        indexes = (models.Index(fields=("organization", "id"), name="suppression_newest"),)
        constraints = (
            models.UniqueConstraint(fields=("organization", "digest"), name="suppression_unique"),
        )

    def __str__(self) -> str:
        """The id: it names no one."""
        return str(self.id)
