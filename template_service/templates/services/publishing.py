"""Versions go live, back and away."""

from dataclasses import dataclass

from django.db import transaction

from carillon.contracts.actors import Actor
from carillon.web.errors import Conflict
from template_service.templates.models import Template, TemplateVersion, VersionStatus
from template_service.templates.selectors import VersionNotFound, version_by_number
from template_service.templates.services.changes import (
    activate,
    lock_publishing,
    lock_template,
    publish_change,
)
from template_service.templates.services.checks import (
    require_publishable,
    require_usable_fallback,
)
from template_service.templates.services.dependents import Dependent, settle_dependents


class NothingToPublish(Conflict):
    """There is no draft."""

    code = "nothing_to_publish"
    message = "The template has no draft. Change it first, or roll back to a version."


class NothingToRollBackTo(Conflict):
    """The version was never published, or none was before."""

    code = "nothing_to_roll_back_to"
    message = "Only a version that was published before can be rolled back to."


@dataclass(frozen=True, slots=True)
class Published:
    """`dependents` had another version of the template in them."""

    template: Template
    version: TemplateVersion
    dependents: list[Dependent]


def publish_version(
    organization_id: str,
    code: str,
    number: int | None,
    *,
    if_match: str,
    actor: Actor,
    republish: bool = False,
) -> Published:
    """The draft `number`, by default the newest, is what is sent from now on.

    An archived template is brought back. With `republish` its dependents are published anew, too;
    if one of them cannot be, nothing is published. Raises TemplateNotFound, PreconditionFailed,
    VersionNotFound, NothingToPublish or ValidationFailed.
    """
    with transaction.atomic():
        lock_publishing(organization_id)
        template = lock_template(organization_id, code, if_match)
        version = _draft(template, number)
        require_usable_fallback(template, require_publishable(template, version))
        activate(template, version, actor)
        publish_change(template, "published")
        dependents = settle_dependents(template, republish=republish, actor=actor)
    return Published(template, version, dependents)


def roll_back(
    organization_id: str,
    code: str,
    number: int | None,
    *,
    if_match: str,
    actor: Actor,
    republish: bool = False,
) -> Published:
    """An earlier published version, by default the last one before, is sent again as it was.

    `republish` as in `publish_version`. Raises TemplateNotFound, PreconditionFailed,
    VersionNotFound, NothingToRollBackTo or ValidationFailed.
    """
    with transaction.atomic():
        lock_publishing(organization_id)
        template = lock_template(organization_id, code, if_match)
        version = _earlier(template, number)
        activate(template, version, actor)
        publish_change(template, "rolled_back")
        dependents = settle_dependents(template, republish=republish, actor=actor)
    return Published(template, version, dependents)


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
