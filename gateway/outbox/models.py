"""The outbox: what is still to be handed to RabbitMQ, and from when on."""

from django.db import models

from gateway.notifications.models import Notification


class OutboxMessage(models.Model):
    """One attempt waiting to be published; written in the transaction that decides on it.

    The row is the promise behind a 202. `available_at` in the future is a schedule or a retry's
    delay; deleting the row is cancelling. A notification has at most one.
    """

    notification = models.OneToOneField(
        Notification, on_delete=models.CASCADE, related_name="outbox_message"
    )
    attempt = models.SmallIntegerField(default=1)
    priority = models.SmallIntegerField()
    available_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("-priority", "available_at", "id"), name="outbox_due"),)

    def __str__(self) -> str:
        """As in the AMQP message id."""
        return f"{self.notification_id}:{self.attempt}"
