"""Accounts with providers. Not in the admin: nobody needs to look at a secret."""

from django.db import models

from carillon.contracts import ids
from carillon.web.fields import PrefixedIDField
from gateway.organizations.models import Organization


class ProviderAccount(models.Model):
    """An organization's account with one provider on one channel."""

    id = PrefixedIDField(ids.PROVIDER_ACCOUNT, primary_key=True)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, db_index=False, related_name="provider_accounts"
    )
    channel = models.CharField(max_length=20)
    provider = models.CharField(max_length=30)
    name = models.CharField(max_length=100)
    sender = models.CharField(max_length=600, blank=True, default="")
    # A Fernet token; `gateway.provider_accounts.sealing` says what is in it.
    sealed = models.BinaryField(editable=False)
    # Lower ones are tried first; of the same, in proportion to the weight.
    position = models.PositiveSmallIntegerField(default=0)
    weight = models.PositiveSmallIntegerField(default=1)
    # None is what the provider declares, 0 no limit.
    rate_per_second = models.FloatField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("channel", "position", "id")
        indexes = (
            models.Index(
                fields=("organization", "channel", "position", "id"),
                name="provider_account_order",
            ),
        )

    def __str__(self) -> str:
        """Which, and never with what."""
        return f"{self.channel}/{self.provider}/{self.pk}"
