"""Accounts with providers, their credentials sealed, and what the last check of them showed."""

from django.db import models

from carillon.contracts import ids
from carillon.contracts.verification import CODE_LENGTH, MESSAGE_LENGTH, VerificationStatus
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
    # The last check of the credentials: as it was stored, not as it is shown, for a check that
    # nobody answers stays pending here (`gateway.provider_accounts.presentation`).
    verification_status = models.CharField(
        max_length=20,
        default=VerificationStatus.UNVERIFIED.value,
        db_default=VerificationStatus.UNVERIFIED.value,
    )
    # Which check: the answer to an earlier one, or about other credentials, changes nothing.
    verification_id = models.UUIDField(null=True, blank=True)
    verification_reason = models.CharField(max_length=40, blank=True, default="", db_default="")
    verification_code = models.CharField(
        max_length=CODE_LENGTH, blank=True, default="", db_default=""
    )
    verification_message = models.CharField(
        max_length=MESSAGE_LENGTH, blank=True, default="", db_default=""
    )
    verification_requested_at = models.DateTimeField(null=True, blank=True)
    verification_checked_at = models.DateTimeField(null=True, blank=True)
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
