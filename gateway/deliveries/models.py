"""Attempts and dead letters."""

from django.db import models

from carillon.contracts import ids
from carillon.contracts.messages import Outcome
from carillon.errors import Reason
from carillon.web.fields import PrefixedIDField
from gateway.notifications.models import Notification
from gateway.organizations.models import Organization

# Providers that never report what became of a message. What they call it is not looked for, and
# their attempts, which are the most, need no place in the index.
RECEIPTLESS = ("apns", "console", "fcm", "sandbox", "smtp", "sns", "webpush")


class DeliveryAttempt(models.Model):
    """One try at delivering a notification, as its worker reported it.

    A repeated event finds its attempt recorded.
    """

    pk = models.CompositePrimaryKey("notification_id", "number")
    # No constraint in the database: it would look up what whoever writes this has locked.
    notification = models.ForeignKey(
        Notification,
        on_delete=models.CASCADE,
        related_name="attempts",
        db_index=False,
        db_constraint=False,
    )
    number = models.SmallIntegerField()
    channel = models.CharField(max_length=16)
    provider = models.CharField(max_length=32, blank=True)
    provider_message_id = models.CharField(max_length=255, blank=True)
    outcome = models.CharField(max_length=12, choices=[(o.value, o.value) for o in Outcome])
    reason = models.CharField(
        max_length=32, blank=True, choices=[(r.value, r.value) for r in Reason]
    )
    error_code = models.CharField(max_length=64, blank=True)
    error_message = models.TextField(blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    duration_ms = models.FloatField()
    possible_duplicate = models.BooleanField(default=False)
    # carillon.contracts.messages.DeviceResult of each device that this attempt was for.
    devices = models.JSONField(null=True)

    class Meta:
        ordering = ("number",)
        indexes = (
            models.Index(
                fields=("provider", "provider_message_id"),
                condition=~models.Q(provider_message_id="") & ~models.Q(provider__in=RECEIPTLESS),
                name="attempt_reported",
            ),
        )

    def __str__(self) -> str:
        """As in the AMQP message id."""
        return f"{self.notification_id}:{self.number}"


class DeadDevice(models.Model):
    """A device whose push service said that it is gone; kept until the user service knows."""

    device_id = models.CharField(max_length=64, primary_key=True)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False, db_constraint=False
    )
    created_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("created_at",), name="dead_device_oldest"),)

    def __str__(self) -> str:
        """The device's id."""
        return self.device_id


class Replay(models.Model):
    """A failed notification was accepted again; `attempt` is the one that this led to."""

    pk = models.CompositePrimaryKey("notification_id", "attempt")
    notification = models.ForeignKey(
        Notification, on_delete=models.CASCADE, related_name="replays", db_index=False
    )
    attempt = models.SmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("attempt",)

    def __str__(self) -> str:
        """As in the AMQP message id."""
        return f"{self.notification_id}:{self.attempt}"


class DeadLetter(models.Model):
    """A notification that failed or bounced, kept to be looked at and replayed.

    Not for what was rejected, expired or cancelled: somebody wanted those not to arrive.
    """

    id = PrefixedIDField(ids.DEAD_LETTER, primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, db_index=False)
    notification = models.OneToOneField(
        Notification, on_delete=models.CASCADE, related_name="dead_letter"
    )
    reason = models.CharField(max_length=32, choices=[(r.value, r.value) for r in Reason])
    error_message = models.TextField(blank=True)
    # All that were made so far: after a replay they no longer count against the retry policy.
    attempts = models.SmallIntegerField()
    created_at = models.DateTimeField()
    # A replayed one is kept; where the replay fails as well this is None again.
    replayed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=("organization", "-created_at", "-id"), name="dead_letter_newest"),
            # Replaying by filter, call after call, never walks over what it has replayed.
            models.Index(
                fields=("organization", "created_at", "id"),
                condition=models.Q(replayed_at=None),
                name="dead_letter_open",
            ),
            models.Index(
                fields=("organization", "replayed_at"),
                condition=models.Q(replayed_at__isnull=False),
                name="dead_letter_replayed",
            ),
        )

    def __str__(self) -> str:
        """The id."""
        return str(self.pk)
