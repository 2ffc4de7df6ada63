"""A bulk request, as it was answered."""

from django.db import models

from carillon.contracts import ids
from carillon.contracts.messages import Mode
from carillon.web.fields import PrefixedIDField
from gateway.organizations.models import Organization


class Batch(models.Model):
    """A bulk request that was accepted; its notifications name it in their `batch_id`.

    The counts are those of the answer and never change: where the notifications are today, they
    tell themselves.
    """

    id = PrefixedIDField(ids.BATCH, primary_key=True)
    # Not constrained in the database, as a notification's is not.
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    # The client's idempotency key, or one that we made.
    request_id = models.CharField(max_length=128)
    # SHA-256 of what was asked for; empty where the client gave no request_id.
    request_digest = models.BinaryField(max_length=32)
    correlation_id = models.CharField(max_length=64)
    channel = models.CharField(max_length=16)
    mode = models.CharField(max_length=4, choices=[(m.value, m.value) for m in Mode])
    template_code = models.CharField(max_length=100, blank=True)
    category = models.CharField(max_length=64, blank=True)
    priority = models.SmallIntegerField()
    scheduled_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    # Stored and to be sent; stored and not to be sent; known already by their own request_id.
    accepted = models.IntegerField(default=0)
    rejected = models.IntegerField(default=0)
    replayed = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    # A list of gateway.batches.shapes.Refusal.
    refusals = models.JSONField(default=list)
    created_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "batches"
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("organization", "request_id"), name="batch_request_id"),
        )
        indexes = (
            models.Index(fields=("organization", "-created_at", "-id"), name="batch_newest"),
        )

    def __str__(self) -> str:
        """The id."""
        return str(self.pk)

    @property
    def total(self) -> int:
        """How many recipients the request named."""
        return self.accepted + self.rejected + self.replayed + self.refused
