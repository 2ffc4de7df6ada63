"""Organizations (the tenants) and their API keys."""

from enum import StrEnum

from django.contrib.postgres.fields import ArrayField
from django.db import models

from carillon.contracts import ids
from carillon.contracts.channels import CHANNELS
from carillon.contracts.messages import Mode
from carillon.web.fields import PrefixedIDField

SHORT_NAME_CHARACTERS = 30


class PlanName(models.TextChoices):
    """The plans; their limits are settings."""

    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"


class Scope(StrEnum):
    """What a key may be used for. `admin` includes the others."""

    SEND = "send"
    READ = "read"
    TEMPLATES = "templates"
    USERS = "users"
    ADMIN = "admin"


class Organization(models.Model):
    """A tenant: everything else belongs to exactly one."""

    id = PrefixedIDField(ids.ORGANIZATION, primary_key=True)
    name = models.CharField(max_length=200)
    plan = models.CharField(max_length=20, choices=PlanName, default=PlanName.FREE)
    # None takes the plan's.
    monthly_quota = models.BigIntegerField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    # Channels on which the platform's providers come after its own accounts.
    platform_stand_ins = ArrayField(
        models.CharField(max_length=16, choices=[(name, name) for name in CHANNELS]),
        default=list,
        db_default=[],
        blank=True,
    )
    # Of whoever signed it up; empty where an operator made it.
    contact_email = models.EmailField(blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        """The name."""
        return self.name

    @property
    def short_name(self) -> str:
        """The name, cut to what a column of a table has room for."""
        if len(self.name) <= SHORT_NAME_CHARACTERS:
            return self.name
        return f"{self.name[: SHORT_NAME_CHARACTERS - 1].rstrip()}…"


class APIKey(models.Model):
    """A credential. The key itself is shown once and never stored: only its SHA-512 digest.

    The key holds 256 random bits, so a slow password hash would add nothing but 100 ms to
    every request.
    """

    id = PrefixedIDField(ids.API_KEY, primary_key=True)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="api_keys"
    )
    name = models.CharField(max_length=100, blank=True)
    # The public part of the key, by which it is found: org_live_<10 characters>.
    prefix = models.CharField(max_length=24, unique=True)
    digest = models.BinaryField(max_length=64)
    mode = models.CharField(max_length=4, choices=[(m.value, m.value) for m in Mode])
    scopes = ArrayField(
        models.CharField(max_length=20, choices=[(s.value, s.value.title()) for s in Scope])
    )
    is_active = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    # Set once it is rotated: it then works until `expires_at` and no longer.
    replaced_by = models.OneToOneField(
        "organizations.APIKey",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="replaces",
    )
    # Grows with every change of the key or its organization; orders writes to the cache.
    revision = models.PositiveBigIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "API key"
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        """The public prefix."""
        return f"{self.prefix}…"
