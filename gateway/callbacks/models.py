"""Reports of providers until they are applied, and what recipients did with a message."""

from django.db import models

from carillon.contracts import ids
from carillon.web.fields import PrefixedIDField
from gateway.callbacks.events import Kind
from gateway.notifications.models import Notification
from gateway.provider_accounts.models import ProviderAccount


class CallbackEvent(models.Model):
    """One report, as durable as the 200 that it was answered with.

    Without `due_at` it is done with, and is kept for a while only so that a repetition is known.
    """

    id = models.BigAutoField(primary_key=True)
    # Of the provider's name and its id of the report.
    digest = models.BinaryField(max_length=16, unique=True)
    provider = models.CharField(max_length=32)
    provider_message_id = models.CharField(max_length=255, blank=True)
    # Known from the start where the report is our own: a tracking link.
    notification_id: "models.Field[str | None, str | None]" = PrefixedIDField(  # type: ignore[misc, assignment]
        ids.NOTIFICATION, null=True
    )
    # Whose own account reported it, which is about its messages alone; None is the platform's.
    organization_id: "models.Field[str | None, str | None]" = PrefixedIDField(  # type: ignore[misc, assignment]
        ids.ORGANIZATION, null=True
    )
    kind = models.CharField(max_length=16, choices=[(k.value, k.value) for k in Kind])
    # carillon.errors.Reason and carillon.contracts.suppressions.SuppressionReason, or empty.
    reason = models.CharField(max_length=32, blank=True)
    suppress = models.CharField(max_length=20, blank=True)
    code = models.CharField(max_length=64, blank=True)
    message = models.TextField(blank=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    tries = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(
                fields=("due_at", "id"),
                condition=models.Q(due_at__isnull=False),
                name="callback_event_due",
            ),
            models.Index(fields=("received_at",), name="callback_event_oldest"),
        )

    def __str__(self) -> str:
        """What it says of which message."""
        return f"{self.provider} {self.provider_message_id} {self.kind}"


class Engagement(models.Model):
    """What became of a notification beside its status: opened, clicked, complained, and so on."""

    pk = models.CompositePrimaryKey("notification_id", "kind")
    notification = models.ForeignKey(
        Notification, on_delete=models.CASCADE, related_name="engagement", db_index=False
    )
    kind = models.CharField(max_length=16, choices=[(k.value, k.value) for k in Kind])
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.IntegerField()

    class Meta:
        ordering = ("kind",)

    def __str__(self) -> str:
        """Which notification, and what."""
        return f"{self.notification_id} {self.kind}"


class AccountCallbacks(models.Model):
    """What verifies the callbacks of an organization's own account with a provider."""

    account = models.OneToOneField(
        ProviderAccount, primary_key=True, on_delete=models.CASCADE, related_name="callbacks"
    )
    # A Fernet token; `gateway.callbacks.accounts` says what is in it.
    sealed = models.BinaryField(editable=False)
    # Whether the provider's acceptance is only `sent`, until a callback says more.
    receipts = models.BooleanField()
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        """Of which account, and never with what."""
        return f"callbacks of {self.pk}"
