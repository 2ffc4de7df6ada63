"""Templates are written: created, replaced, changed. Every edit of the words is a new version."""

from django.db import transaction
from msgspec import UNSET

from carillon.contracts.actors import Actor
from carillon.contracts.channels import CHANNELS, ContentKind
from carillon.web.errors import ValidationFailed
from carillon.web.tenants.services import require_organization
from template_service.templates.bodies import ChangeBody, ReplaceBody, TemplateBody, check_words
from template_service.templates.models import Template, TemplateVersion, VersionStatus
from template_service.templates.option_bodies import kept
from template_service.templates.options import require_fitting
from template_service.templates.selectors import newest_words, published, shown_version
from template_service.templates.services.changes import (
    WORDS,
    activate,
    insert_template,
    lock_publishing,
    lock_template,
    new_version,
    next_number,
    publish_change,
)
from template_service.templates.services.checks import (
    require_publishable,
    require_readable,
    require_usable_fallback,
)

FACTS = (
    *("name", "description", "category", "delivery", "sample_data"),
    *("track_opens", "track_clicks", "expect_receipt_within", "fallback", "push"),
)


def create_template(
    organization_id: str, body: TemplateBody, *, actor: Actor
) -> tuple[Template, TemplateVersion]:
    """The template and its first version.

    Raises ValidationFailed, OrganizationNotFound or TemplateExists.
    """
    language = check_words(body)
    organization = require_organization(organization_id)
    template = Template(
        organization=organization,
        code=body.code,
        type=body.type,
        default_language=language,
        **{field: kept(getattr(body, field)) for field in FACTS},
    )
    words = {field: kept(getattr(body, field)) for field in WORDS}
    version = new_version(template, 1, language, actor, **words)
    _check_mjml(version)
    require_fitting(template, version)
    require_readable(version)
    with transaction.atomic():
        if body.status == "active":
            lock_publishing(organization_id)
            require_usable_fallback(template, require_publishable(template, version))
        insert_template(template)
        if body.status == "active":
            activate(template, version, actor)
        else:
            version.save(force_insert=True)
        publish_change(template, "created")
    return template, version


def replace_template(
    organization_id: str, code: str, body: ReplaceBody, *, if_match: str, actor: Actor
) -> tuple[Template, TemplateVersion]:
    """All of it anew, its words as a new draft. Raises as `change_template`."""
    language = check_words(body)
    with transaction.atomic():
        template = lock_template(organization_id, code, if_match)
        _set_facts(template, body)
        draft = _draft(template, language or template.default_language, actor)
        for field in WORDS:
            setattr(draft, field, kept(getattr(body, field)))
        _keep(draft)
        publish_change(template, "replaced")
    return template, draft


def change_template(
    organization_id: str, code: str, body: ChangeBody, *, if_match: str, actor: Actor
) -> tuple[Template, TemplateVersion]:
    """What is named, its words as a new draft on top of the newest version of that language.

    What is in FACTS is the template's and changes at once. Raises ValidationFailed,
    TemplateNotFound or PreconditionFailed.
    """
    language = check_words(body)
    if all(getattr(body, field) is UNSET for field in (*FACTS, *WORDS)):
        raise ValidationFailed("Nothing to change was named.")
    with transaction.atomic():
        template = lock_template(organization_id, code, if_match)
        _set_facts(template, body)
        version = _changed_words(template, body, language, actor)
        publish_change(template, "changed")
    return template, version


def _changed_words(
    template: Template, body: ChangeBody, language: str, actor: Actor
) -> TemplateVersion:
    """A new draft where words were named; else the version to show."""
    words = {field: getattr(body, field) for field in WORDS}
    words = {field: kept(value) for field, value in words.items() if value is not UNSET}
    if not words:
        return shown_version(template)
    draft = _draft(template, language or template.default_language, actor)
    for one, other in (("mjml", "html_content"), ("html_content", "mjml")):
        if words.get(one):
            # Each stands in place of the other.
            words.setdefault(other, "")
    for field, value in words.items():
        setattr(draft, field, value)
    _keep(draft)
    return draft


def _set_facts(template: Template, body: ChangeBody | ReplaceBody) -> None:
    """Raises ValidationFailed."""
    before = template.fallback
    for field in FACTS:
        value = getattr(body, field)
        if value is not UNSET:
            setattr(template, field, kept(value))
    require_fitting(template, None)
    if template.fallback != before:
        # It holds at once for what is published.
        for version in template.versions.filter(status=VersionStatus.ACTIVE):
            require_usable_fallback(template, published(version))


def _draft(template: Template, language: str, actor: Actor) -> TemplateVersion:
    """A copy of the newest version in the language; of the default's where there is none."""
    newest = newest_words(template, language) or newest_words(template, template.default_language)
    words = {field: getattr(newest, field) for field in WORDS} if newest else {}
    return new_version(template, next_number(template), language, actor, **words)


def _keep(draft: TemplateVersion) -> None:
    _check_mjml(draft)
    require_fitting(draft.template, draft)
    require_readable(draft)
    draft.save(force_insert=True)


def _check_mjml(version: TemplateVersion) -> None:
    """Raises ValidationFailed."""
    if version.mjml and CHANNELS[version.template.type].content is not ContentKind.EMAIL:
        raise ValidationFailed(details={"mjml": ["Only emails are written in MJML."]})
