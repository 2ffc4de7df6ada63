"""Templates and the versions of their words."""

from django.db import models

from carillon.contracts import ids
from carillon.contracts.actors import ID_LENGTH as ACTOR_LENGTH
from carillon.contracts.actors import NAME_LENGTH as ACTOR_NAME_LENGTH
from carillon.contracts.channels import CHANNELS
from carillon.contracts.messages import DeliveryPolicy
from carillon.web.fields import PrefixedIDField
from carillon.web.locales import LANGUAGE_LENGTH
from carillon.web.revisions import NextRevision
from carillon.web.tenants.models import Organization

CODE_LENGTH = 100
NAME_LENGTH = 200
CATEGORY_LENGTH = 64


class VersionStatus(models.TextChoices):
    """Not yet, now, or no longer what is sent."""

    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"


class Template(models.Model):
    """What an organization has to say on one channel; its versions have the words."""

    id = PrefixedIDField(ids.TEMPLATE, primary_key=True)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="templates", db_index=False
    )
    code = models.CharField(max_length=CODE_LENGTH)
    name = models.CharField(max_length=NAME_LENGTH)
    description = models.TextField(blank=True)
    type = models.CharField(
        "channel", max_length=16, choices=[(channel, channel) for channel in CHANNELS]
    )
    category = models.CharField(max_length=CATEGORY_LENGTH, blank=True)
    delivery = models.CharField(
        max_length=16,
        choices=[(policy.value, policy.value) for policy in DeliveryPolicy],
        default=DeliveryPolicy.AT_LEAST_ONCE.value,
    )
    # Of emails, by links of our own.
    track_opens = models.BooleanField(default=False, db_default=False)
    track_clicks = models.BooleanField(default=False, db_default=False)
    # Seconds; 0 expects none.
    expect_receipt_within = models.IntegerField(default=0, db_default=0)
    # carillon.contracts.records: a FallbackRule, a PushDelivery.
    fallback = models.JSONField(null=True)
    push = models.JSONField(null=True)
    default_language = models.CharField("default language (BCP 47)", max_length=LANGUAGE_LENGTH)
    # Variables for previews that give none.
    sample_data = models.JSONField(default=dict)
    is_archived = models.BooleanField(default=False)
    # Orders the writes to the cache, and is the ETag. The database's default serves the insert.
    revision = models.BigIntegerField(db_default=NextRevision(), editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("code",)
        constraints = (
            models.UniqueConstraint(fields=("organization", "code"), name="template_code_unique"),
        )

    def __str__(self) -> str:
        """The code."""
        return self.code


class TemplateVersion(models.Model):
    """The words in one language. They never change: an edit is a new version."""

    template = models.ForeignKey(
        Template, on_delete=models.CASCADE, related_name="versions", db_index=False
    )
    number = models.IntegerField()
    language = models.CharField("language (BCP 47)", max_length=LANGUAGE_LENGTH)
    subject = models.TextField(blank=True)
    content = models.TextField(blank=True)
    html_content = models.TextField(blank=True)
    # In place of html_content, which is made of it when it is published.
    mjml = models.TextField(blank=True, default="", db_default="")
    # carillon.contracts.messages.ProviderTemplate, with texts of our language for values.
    provider_template = models.JSONField(null=True)
    # Names.
    variables = models.JSONField(default=list)
    optional_variables = models.JSONField(default=list)
    status = models.CharField(
        max_length=8, choices=VersionStatus, default=VersionStatus.DRAFT.value
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=ACTOR_LENGTH, blank=True, default="", db_default="")
    created_by_name = models.CharField(
        max_length=ACTOR_NAME_LENGTH, blank=True, default="", db_default=""
    )
    # What is sent in place of what the author wrote, by field, since it was published: parts put
    # in, the made text part, rules inlined. Null before that.
    prepared = models.JSONField(null=True)
    # The published templates that are in `prepared`: code, version and language of each.
    parts = models.JSONField(default=list, db_default=[])
    # The version whose words were published anew with newer parts.
    copy_of = models.IntegerField(null=True)
    # The last time that it went live.
    published_at = models.DateTimeField(null=True)
    published_by = models.CharField(max_length=ACTOR_LENGTH, blank=True, default="", db_default="")
    published_by_name = models.CharField(
        max_length=ACTOR_NAME_LENGTH, blank=True, default="", db_default=""
    )

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("template", "number"), name="version_number_unique"),
            models.UniqueConstraint(
                fields=("template", "language"),
                condition=models.Q(status="active"),
                name="version_one_active_per_language",
            ),
        )

    def __str__(self) -> str:
        """Number and language."""
        return f"version {self.number} ({self.language})"
