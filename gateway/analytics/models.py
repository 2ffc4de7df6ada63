"""Counts of notifications, and the changes of counts that are still to be added to them.

Triggers on the notifications' table (see the first migration) note every change where it is made,
in its transaction: whoever writes, by whatever statement, nothing is missed or counted twice. The
events process adds them up every few seconds.
"""

from django.db import models

from gateway.organizations.models import Organization


class _Counted(models.Model):
    """What a count is of. `latency` is a bucket of gateway.analytics.latency, 0 where undelivered.

    `hour` is that of `created_at`, in UTC; `status` today's.
    """

    organization = models.ForeignKey(
        Organization,
        on_delete=models.CASCADE,
        db_index=False,
        db_constraint=False,
        related_name="+",
    )
    hour = models.DateTimeField()
    mode = models.CharField(max_length=4)
    channel = models.CharField(max_length=16)
    template_code = models.CharField(max_length=100)
    status = models.CharField(max_length=12)
    latency = models.SmallIntegerField()

    class Meta:
        abstract = True


class HourlyCount(_Counted):
    """A rollup: so many notifications."""

    pk = models.CompositePrimaryKey(
        "organization_id", "hour", "mode", "channel", "template_code", "status", "latency"
    )
    count = models.BigIntegerField()

    class Meta:
        indexes = (
            # What passed through a status leaves a row behind that says nothing.
            models.Index(
                fields=("organization",), condition=models.Q(count=0), name="hourly_count_empty"
            ),
        )

    def __str__(self) -> str:
        """What is counted."""
        return f"{self.hour:%Y-%m-%dT%H} {self.channel} {self.status}"


class CountChange(_Counted):
    """So many more or fewer, not yet added to the rollups. In the order of their ids."""

    change = models.BigIntegerField()

    def __str__(self) -> str:
        """What changed."""
        return f"{self.hour:%Y-%m-%dT%H} {self.channel} {self.status} {self.change:+}"
