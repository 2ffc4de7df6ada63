"""The notification, and beside it what it says and to whom.

Content and addresses live in a table of their own: a status change rewrites a narrow row, and
retention deletes what is personal while counts and ids remain.
"""

from django.db import models
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from carillon.contracts import ids
from carillon.contracts.lanes import Lane
from carillon.contracts.messages import DeliveryPolicy, Mode
from carillon.contracts.status import Status
from carillon.web.fields import PrefixedIDField
from gateway.organizations.models import Organization


class RecipientDigest(models.Func):
    """64 bits of the address of a NotificationContent, of several devices the first.

    An index of it is small whatever the address is: a device token may have 4,096 characters.
    """

    function = "hashtextextended"
    template = "%(function)s(%(expressions)s, 0)"
    output_field = models.BigIntegerField()


class Notification(models.Model):
    """One message to one recipient on one channel. `status` moves by carillon.contracts.status."""

    id = PrefixedIDField(ids.NOTIFICATION, primary_key=True)
    # No constraint in the database: each insert would lock the organization's row, and all of an
    # organization's inserts the same one. Organizations are deactivated, never deleted.
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    # The client's idempotency key, or one that we made.
    # In the C collation its unique index also finds those that begin alike.
    request_id = models.CharField(max_length=128, db_collation="C")
    # SHA-256 of what was asked for: the same request_id with another body is refused.
    request_digest = models.BinaryField(max_length=32)
    correlation_id = models.CharField(max_length=64)
    channel = models.CharField(max_length=16)
    mode = models.CharField(max_length=4, choices=[(m.value, m.value) for m in Mode])
    status = models.CharField(max_length=12, choices=[(s.value, s.value) for s in Status])
    reason = models.CharField(max_length=32, blank=True)
    # Why it was put off when it was accepted; `reason` tells of where it is now.
    deferral = models.CharField(max_length=32, blank=True, db_default="")
    lane = models.CharField(max_length=8, choices=[(lane.value, lane.value) for lane in Lane])
    priority = models.SmallIntegerField()
    category = models.CharField(max_length=64, blank=True)
    delivery = models.CharField(
        max_length=16, choices=[(policy.value, policy.value) for policy in DeliveryPolicy]
    )
    user_id = models.CharField(max_length=128, blank=True)
    # The bulk request that it is one recipient of; no constraint, as above.
    batch_id: "models.Field[str | None, str | None]" = PrefixedIDField(  # type: ignore[misc, assignment]
        ids.BATCH, null=True
    )
    template_code = models.CharField(max_length=100, blank=True)
    template_version = models.IntegerField(null=True)
    language = models.CharField(max_length=35, blank=True)
    metadata = models.JSONField(default=dict)
    # How many attempts were handed to the outbox so far.
    attempt = models.SmallIntegerField(default=1)
    provider = models.CharField(max_length=32, blank=True)
    provider_message_id = models.CharField(max_length=255, blank=True)
    error_message = models.TextField(blank=True)
    next_attempt_at = models.DateTimeField(null=True)
    scheduled_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    queued_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    # Seconds that the template gives the provider for its receipt; 0 for ever, and 0 once another
    # provider was asked because there was none.
    expect_receipt_within = models.IntegerField(default=0, db_default=0)
    receipt_due_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "request_id"), name="notification_request_id"
            ),
        )
        indexes = (
            models.Index(fields=("organization", "-created_at", "-id"), name="notification_newest"),
            models.Index(
                fields=("organization", "batch_id"),
                condition=models.Q(batch_id__isnull=False),
                name="notification_batch",
            ),
            models.Index(
                fields=("organization", "user_id", "-created_at", "-id"),
                condition=~models.Q(user_id=""),
                name="notification_user",
            ),
            models.Index(
                fields=("organization", "template_code", "-created_at", "-id"),
                condition=~models.Q(template_code=""),
                name="notification_template",
            ),
            # Of a channel that is hardly used there are none among the newest.
            models.Index(
                fields=("organization", "channel", "-created_at", "-id"),
                name="notification_channel",
            ),
            # Most are delivered: those are found among the newest, and need no place here.
            models.Index(
                fields=("organization", "status", "-created_at", "-id"),
                condition=~models.Q(status="delivered"),
                name="notification_status",
            ),
            models.Index(
                fields=("receipt_due_at",),
                condition=models.Q(receipt_due_at__isnull=False),
                name="notification_receipt_due",
            ),
        )

    def __str__(self) -> str:
        """The id: a name would be somebody's address."""
        return str(self.pk)


class DeletedCount(models.Model):
    """How many of a month's notifications were deleted: its quota goes on counting them."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    # Its first day, in UTC.
    month = models.DateField()
    count = models.IntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organization", "month"), name="deleted_count_month"),
        )

    def __str__(self) -> str:
        """The month."""
        return f"{self.month:%Y-%m}"


class NotificationContent(models.Model):
    """What a notification says and to whom: personal, deleted after the retention period.

    `addresses` is a list of carillon.contracts.messages.Address, `content` one of its contents.
    `settled` is a list of its DeviceResult: the devices that earlier attempts were done with, and
    that no further one is for.
    """

    # Written with its notification, in one statement: a constraint would look each of them up.
    notification = models.OneToOneField(
        Notification,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="content",
        db_constraint=False,
    )
    addresses = models.JSONField()
    recipient_name = models.CharField(max_length=200, blank=True)
    content = models.JSONField()
    settled = models.JSONField(null=True)
    # gateway.fallbacks.promises.Promise, where the template has a fallback.
    fallback = models.JSONField(null=True)
    traceparent = models.CharField(max_length=55, blank=True)

    class Meta:
        indexes = (
            models.Index(
                RecipientDigest(KeyTextTransform("value", KeyTransform("0", "addresses"))),
                name="notification_recipient",
            ),
        )

    def __str__(self) -> str:
        """The notification's id."""
        return str(self.pk)
