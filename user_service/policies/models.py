"""One row an organization: it is read with every user and changed by few."""

from django.db import models

from carillon.web.revisions import NextRevision
from carillon.web.tenants.models import Organization


class Policy(models.Model):
    """An organization's defaults and categories. Without a row everything is at its default."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="policy"
    )
    # {channel: bool}: what holds unless the user says otherwise.
    preferences = models.JSONField(default=dict, blank=True)
    # {code: `user_service.policies.categories.Category` as JSON}.
    categories = models.JSONField(default=dict, blank=True)
    revision = models.BigIntegerField(db_default=NextRevision(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        """Whose."""
        return f"Policy of {self.organization_id}"
