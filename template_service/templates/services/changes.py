"""What every change of a template shares: the lock, the precondition, the revision, the cache."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from prometheus_client import Counter

from carillon.contracts.actors import Actor
from carillon.web.errors import ApiError, Conflict
from carillon.web.revisions import next_revision
from carillon.web.tenants.models import Organization
from template_service.templates import cache
from template_service.templates.models import Template, TemplateVersion, VersionStatus
from template_service.templates.selectors import TemplateNotFound, with_code

CHANGES = Counter("carillon_template_changes_total", "Committed changes of templates.", ["kind"])

# What a version says.
WORDS = (
    *("subject", "content", "html_content", "mjml", "variables", "optional_variables"),
    "provider_template",
)


class TemplateExists(Conflict):
    """The code is taken, perhaps by an archived template."""

    code = "template_exists"
    message = "The organization has a template with this code; an archived one counts, too."


class PreconditionFailed(ApiError):
    """Somebody else changed the template since it was read."""

    status = 412
    code = "precondition_failed"
    message = "The template was changed since you read it. Fetch it again and compare."


def etag_of(template: Template) -> str:
    """Strong: it changes with every change of the template or of a version."""
    return f'"{template.revision}"'


def lock_template(organization_id: str, code: str, if_match: str) -> Template:
    """The template, its row locked until the transaction's end.

    `if_match` is the header, empty where there was none. Raises TemplateNotFound or
    PreconditionFailed.
    """
    template = with_code(organization_id, code).select_for_update(no_key=True).first()
    if template is None:
        raise TemplateNotFound
    if if_match and if_match != "*":
        tags = {tag.strip() for tag in if_match.split(",")}
        if etag_of(template) not in tags:
            raise PreconditionFailed
    return template


def lock_publishing(organization_id: str) -> None:
    """One publish of an organization at a time, until the transaction's end.

    So a version that takes a part in while that is published has either the new one, or is told
    of as having the old one. Taken before any template's row.
    """
    Organization.objects.select_for_update(no_key=True).filter(id=organization_id).first()


def new_version(
    template: Template, number: int, language: str, actor: Actor, **words: Any
) -> TemplateVersion:
    """A draft, not saved yet."""
    return TemplateVersion(
        template=template,
        number=number,
        language=language,
        created_by=actor.id,
        created_by_name=actor.name,
        **words,
    )


def activate(template: Template, version: TemplateVersion, actor: Actor) -> None:
    """The version goes live in its language, and the template with it; saves the version."""
    live = template.versions.filter(language=version.language, status=VersionStatus.ACTIVE)
    live.exclude(pk=version.pk).update(status=VersionStatus.ARCHIVED)
    version.status = VersionStatus.ACTIVE.value
    version.published_at = timezone.now()
    version.published_by, version.published_by_name = actor.id, actor.name
    version.save()
    template.is_archived = False


def insert_template(template: Template) -> None:
    """Raises TemplateExists."""
    try:
        with transaction.atomic():
            template.save(force_insert=True)
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        if getattr(diagnosis, "constraint_name", "") != "template_code_unique":
            raise
        raise TemplateExists(details={"code": [TemplateExists.message]}) from None


def next_number(template: Template) -> int:
    """The next version's number; the template is locked."""
    highest = template.versions.aggregate(highest=Max("number"))["highest"]
    return int(highest or 0) + 1


def publish_change(template: Template, kind: str) -> None:
    """Number the change of a locked template and tell the cache once it is committed."""
    template.revision = next_revision()
    template.save()

    def tell() -> None:
        CHANGES.labels(kind).inc()
        cache.keep(template)

    transaction.on_commit(tell)
