"""Versions go live, back and away."""

from django.db import transaction
from django.utils import timezone

from carillon.web.errors import Conflict
from template_service.templates.models import Template, TemplateVersion, VersionStatus
from template_service.templates.selectors import VersionNotFound, version_by_number
from template_service.templates.services.changes import lock_template, publish_change
from template_service.templates.services.checks import require_publishable


class NothingToPublish(Conflict):
    """There is no draft."""

    code = "nothing_to_publish"
    message = "The template has no draft. Change it first, or roll back to a version."


class NothingToRollBackTo(Conflict):
    """The version was never published, or none was before."""

    code = "nothing_to_roll_back_to"
    message = "Only a version that was published before can be rolled back to."


def publish_version(
    organization_id: str, code: str, number: int | None, *, if_match: str
) -> tuple[Template, TemplateVersion]:
    """The draft `number`, by default the newest, is what is sent from now on.

    An archived template is brought back. Raises TemplateNotFound, PreconditionFailed,
    VersionNotFound, NothingToPublish or ValidationFailed.
    """
    with transaction.atomic():
        template = lock_template(organization_id, code, if_match)
        version = _draft(template, number)
        require_publishable(template, version)
        _activate(template, version)
        publish_change(template, "published")
    return template, version


def roll_back(
    organization_id: str, code: str, number: int | None, *, if_match: str
) -> tuple[Template, TemplateVersion]:
    """An earlier published version, by default the last one before, is sent again.

    Raises TemplateNotFound, PreconditionFailed, VersionNotFound or NothingToRollBackTo.
    """
    with transaction.atomic():
        template = lock_template(organization_id, code, if_match)
        version = _earlier(template, number)
        _activate(template, version)
        publish_change(template, "rolled_back")
    return template, version


def archive_template(organization_id: str, code: str, *, if_match: str) -> Template:
    """It is kept, shown, and not sent. Raises TemplateNotFound or PreconditionFailed."""
    with transaction.atomic():
        template = lock_template(organization_id, code, if_match)
        template.is_archived = True
        publish_change(template, "archived")
    return template


def _draft(template: Template, number: int | None) -> TemplateVersion:
    if number is not None:
        version = version_by_number(template, number)
        if version.status == VersionStatus.ARCHIVED:
            raise NothingToPublish("This version was replaced; roll back to it instead.")
        return version
    newest = template.versions.filter(status=VersionStatus.DRAFT).order_by("-number").first()
    if newest is None:
        raise NothingToPublish
    return newest


def _earlier(template: Template, number: int | None) -> TemplateVersion:
    if number is not None:
        version = version_by_number(template, number)
        if version.published_at is None:
            raise NothingToRollBackTo
        return version
    active = template.versions.filter(
        status=VersionStatus.ACTIVE, language=template.default_language
    ).first()
    if active is None:
        raise VersionNotFound("Nothing is published in the default language; name a version.")
    before = (
        template.versions.filter(language=active.language, status=VersionStatus.ARCHIVED)
        .exclude(published_at=None)
        .order_by("-published_at")
        .first()
    )
    if before is None:
        raise NothingToRollBackTo
    return before


def _activate(template: Template, version: TemplateVersion) -> None:
    template.versions.filter(language=version.language, status=VersionStatus.ACTIVE).exclude(
        pk=version.pk
    ).update(status=VersionStatus.ARCHIVED)
    version.status = VersionStatus.ACTIVE.value
    version.published_at = timezone.now()
    version.save(update_fields=["status", "published_at", "prepared"])
    template.is_archived = False
