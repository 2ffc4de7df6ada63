"""Users, their devices, and what they changed their minds about."""

from django.db import models
from django.db.models.functions import Lower

from carillon.contracts import ids
from carillon.web.fields import PrefixedIDField
from carillon.web.revisions import NextRevision
from carillon.web.tenants.models import Organization
from user_service.users.tokens import Platform

EXTERNAL_ID_LENGTH = 128
NAME_LENGTH = 200

EMAIL_UNIQUE = "user_email_unique"
EXTERNAL_ID_UNIQUE = "user_external_id_unique"


class User(models.Model):
    """A person whom one organization notifies. Empty text means "not known"."""

    id = PrefixedIDField(ids.USER, primary_key=True)
    # PROTECT: people are erased one by one through the service, which tells the caches.
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="users", db_index=False
    )
    # The client's own id, usable wherever ours is.
    external_id = models.CharField(max_length=EXTERNAL_ID_LENGTH, blank=True)
    email = models.EmailField(blank=True)
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    # Django's encoding: algorithm, iterations, salt and hash. Never leaves this service.
    password = models.CharField("password hash", max_length=128, blank=True)
    phone_number = models.CharField("phone number (E.164)", max_length=16, blank=True)
    language = models.CharField("language (BCP 47)", max_length=35, blank=True)
    timezone = models.CharField("time zone (IANA)", max_length=64, blank=True)
    # Template variables below `user.`.
    attributes = models.JSONField(default=dict, blank=True)
    # {channel: bool}, {category: {channel: bool}}: what the user said. What is absent is at its
    # default; see `user_service.users.preferences`.
    preferences = models.JSONField(default=dict, blank=True)
    categories = models.JSONField(default=dict, blank=True)
    # {weekday: [{"start", "end"}]}; see `user_service.users.quiet_hours`.
    quiet_hours = models.JSONField(default=dict, blank=True)
    # Orders the writes to the cache. The database's default serves the insert.
    revision = models.BigIntegerField(db_default=NextRevision(), editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        # Ids sort by time: the newest first.
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("organization", "id"), name="user_organization_newest"),
            models.Index(
                fields=("organization", "phone_number"),
                condition=~models.Q(phone_number=""),
                name="user_phone_number",
            ),
        )
        constraints = (
            models.UniqueConstraint(
                "organization",
                Lower("email"),
                condition=~models.Q(email=""),
                name=EMAIL_UNIQUE,
            ),
            models.UniqueConstraint(
                fields=("organization", "external_id"),
                condition=~models.Q(external_id=""),
                name=EXTERNAL_ID_UNIQUE,
            ),
        )

    def __str__(self) -> str:
        """The id: it names no one."""
        return str(self.id)


class Device(models.Model):
    """A place where a user receives push notifications."""

    id = PrefixedIDField(ids.DEVICE, primary_key=True)
    # The user's; repeated because a token is unique within an organization.
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="devices")
    platform = models.CharField(
        max_length=10, choices=[(platform.value, platform.value) for platform in Platform]
    )
    token = models.TextField()
    # SHA-256: tokens may be longer than an index entry of PostgreSQL.
    token_digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)
    # The last time that the client said that the token is this user's.
    registered_at = models.DateTimeField()
    # When its push service said that the token is dead; registering it again revives it.
    disabled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-registered_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "token_digest"), name="device_token_unique"
            ),
        )

    def __str__(self) -> str:
        """The id: a token is a secret."""
        return str(self.id)


class FormerAddress(models.Model):
    """An address that a user had before, as a digest: what is to be cleared with the user.

    `digest` is `carillon.contracts.suppressions.address_digest`.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="former_addresses")
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("user", "digest"), name="former_address_unique"),
        )

    def __str__(self) -> str:
        """Whose."""
        return f"of {self.user_id}"


class PreferenceChange(models.Model):
    """One change of a user's preferences: evidence of what was agreed to, when and how."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="preference_changes")
    at = models.DateTimeField(auto_now_add=True)
    source = models.CharField(max_length=20)
    correlation_id = models.CharField(max_length=64, blank=True)
    # [{"field": "categories.news.email", "before", "after"}]; null is "not said".
    changes = models.JSONField()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        """Whose and when; not what."""
        return f"{self.user_id} at {self.at:%Y-%m-%d %H:%M}"
