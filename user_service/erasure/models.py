"""What the gateway is still to be told."""

from django.db import models

from carillon.contracts import ids
from carillon.web.fields import PrefixedIDField


class PendingErasure(models.Model):
    """A user who is gone here; the row goes once the gateway has cleared its copies.

    It names nobody: the id of somebody erased leads nowhere.
    """

    organization_id = PrefixedIDField(ids.ORGANIZATION)
    user_id = PrefixedIDField(ids.USER)
    requested_at = models.DateTimeField(auto_now_add=True)
    attempts = models.IntegerField(default=0)
    # Not before this time; a process that is at it has put it off already.
    due_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        verbose_name = "pending erasure"
        indexes = (models.Index(fields=("due_at",), name="erasure_due"),)

    def __str__(self) -> str:
        """The user's id."""
        return str(self.user_id)
