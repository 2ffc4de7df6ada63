"""Users who were erased."""

from django.db import models

from gateway.organizations.models import Organization


class ErasedUser(models.Model):
    """A user whose copies were cleared, remembered until nothing about them can come in any more.

    A request that had read the user before may store a notification afterwards, and a provider's
    word on what was under way comes when it comes.
    """

    organization = models.ForeignKey(
        Organization,
        on_delete=models.CASCADE,
        db_index=False,
        db_constraint=False,
        related_name="+",
    )
    user_id = models.CharField(max_length=128)
    erased_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organization", "user_id"), name="erased_user_once"),
        )

    def __str__(self) -> str:
        """The id, which says nothing about the person."""
        return self.user_id
