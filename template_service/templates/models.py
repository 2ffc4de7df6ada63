"""Templates and their versions."""

from django.db import models

from carillon.contracts import ids
from carillon.contracts.channels import CHANNELS
from carillon.contracts.messages import DeliveryPolicy
from carillon.web.fields import PrefixedIDField
from carillon.web.locales import LANGUAGE_LENGTH
from carillon.web.revisions import NextRevision
from carillon.web.tenants.models import Organization

CODE_LENGTH = 100
NAME_LENGTH = 200
CATEGORY_LENGTH = 64

CODE_UNIQUE = "template_code_unique"


class Status(models.TextChoices):
    """Of a version: not yet, now, or no longer in force. Of a template: never, now, or archived."""

    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"


class Template(models.Model):
    """What an organization has to say on one channel; its versions have the words.

    `name`, `description`, `category`, `delivery` and `default_language` are the template's: they
    change at once, for every version.
    """

    id = PrefixedIDField(ids.TEMPLATE, primary_key=True)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="templates", db_index=False
    )
    code = models.CharField(max_length=CODE_LENGTH)
    name = models.CharField(max_length=NAME_LENGTH)
    description = models.TextField(blank=True)
    type = models.CharField(max_length=20, choices=[(name, name) for name in CHANNELS])
    category = models.CharField(max_length=CATEGORY_LENGTH, blank=True)
    delivery = models.CharField(
        max_length=20,
        choices=[(policy.value, policy.value) for policy in DeliveryPolicy],
        default=DeliveryPolicy.AT_LEAST_ONCE.value,
    )
    default_language = models.CharField("default language (BCP 47)", max_length=LANGUAGE_LENGTH)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    # The highest number given to a version.
    last_version = models.PositiveIntegerField(default=0)
    # Orders the writes to the cache, and is the ETag. The database's default serves the insert.
    revision = models.BigIntegerField(db_default=NextRevision(), editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        # Ids sort by time: the newest first.
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("organization", "id"), name="template_organization_newest"),
        )
        constraints = (
            models.UniqueConstraint(fields=("organization", "code"), name=CODE_UNIQUE),
        )

    def __str__(self) -> str:
        """The code."""
        return self.code


class TemplateVersion(models.Model):
    """The words in one language. They never change; a change is a new version.

    The database itself refuses to change them (a trigger in the first migration).
    """

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField("version")
    language = models.CharField("language (BCP 47)", max_length=LANGUAGE_LENGTH)
    subject = models.TextField(blank=True)
    content = models.TextField(blank=True)
    html_content = models.TextField("HTML content", blank=True)
    # Lists of names.
    variables = models.JSONField(default=list, blank=True)
    optional_variables = models.JSONField(default=list, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    created_at = models.DateTimeField(auto_now_add=True)
    # The last time that it came into force.
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("template", "number"), name="version_number_unique"),
            models.UniqueConstraint(
                fields=("template", "language"),
                condition=models.Q(status=Status.ACTIVE),
                name="version_active_unique",
            ),
        )

    def __str__(self) -> str:
        """Number and language."""
        return f"version {self.number} ({self.language})"
