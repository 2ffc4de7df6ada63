"""The outbox: what is still to be handed to RabbitMQ, and from when on."""

from django.db import models
from django.db.models import Q

from carillon.contracts.lanes import PRIORITY_MAX, PRIORITY_MIN
from gateway.notifications.models import Notification


class OutboxMessage(models.Model):
    """One attempt waiting to be published; written in the transaction that decides on it.

    The row is the promise behind a 202. `available_at` in the future is a schedule or a retry's
    delay; deleting the row is cancelling. A notification has at most one. `priority` comes from
    `gateway.outbox.ordering.outbox_priority`: a lane never waits behind a slower one.

    Who changes a notification and its row locks the notification first, as the relay does.
    """

    # No constraint in the database: it would look up what whoever writes this has locked.
    notification = models.OneToOneField(
        Notification,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="outbox_message",
        db_constraint=False,
    )
    attempt = models.SmallIntegerField(default=1)
    priority = models.SmallIntegerField()
    available_at = models.DateTimeField()

    class Meta:
        constraints = (
            # The relay looks at each priority of this range, and at no other.
            models.CheckConstraint(
                condition=Q(priority__gte=PRIORITY_MIN, priority__lte=PRIORITY_MAX),
                name="outbox_priority_known",
            ),
        )
        indexes = (
            models.Index(fields=("priority", "available_at", "notification"), name="outbox_due"),
        )

    def __str__(self) -> str:
        """As in the AMQP message id."""
        return f"{self.notification_id}:{self.attempt}"
