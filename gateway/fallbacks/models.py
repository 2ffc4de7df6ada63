"""What became of a notification that did not arrive: who took its place, or why nobody did."""

from enum import StrEnum

from django.db import models

from gateway.notifications.models import Notification

NO_RECEIPT = "no_receipt"
"""The cause where a provider took it and no receipt came; any other is the reason of a failure."""


class FallbackStatus(StrEnum):
    """Where a fallback is in its short life; the two others are its ends."""

    PENDING = "pending"
    SENT = "sent"
    NOT_SENT = "not_sent"


class Fallback(models.Model):
    """One for a notification, ever: that is what makes it fall back once.

    It is made where the notification did not arrive, and is then worked on by the events process.
    """

    notification = models.OneToOneField(
        Notification, on_delete=models.CASCADE, primary_key=True, related_name="fallback"
    )
    channel = models.CharField(max_length=16)
    template_code = models.CharField(max_length=100)
    # NO_RECEIPT, or the reason for which the notification failed.
    cause = models.CharField(max_length=32)
    status = models.CharField(max_length=8, choices=[(s.value, s.value) for s in FallbackStatus])
    # Why it was not sent: a code of the API's, and words that retention clears.
    reason = models.CharField(max_length=64, blank=True)
    message = models.TextField(blank=True)
    # The notification on the other channel.
    child = models.OneToOneField(
        Notification, on_delete=models.SET_NULL, null=True, related_name="stands_in_for"
    )
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    tries = models.SmallIntegerField(default=0, db_default=0)
    # When it is looked at next: to be sent, or, where it was put off, whether it is still needed.
    due_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=("due_at",),
                condition=models.Q(due_at__isnull=False),
                name="fallback_due",
            ),
        )

    def __str__(self) -> str:
        """Which notification's."""
        return str(self.notification_id)
