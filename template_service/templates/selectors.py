"""Reads: templates, the version that is meant, and the record that the gateway needs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When

from carillon.contracts.messages import DeliveryPolicy, ProviderTemplate
from carillon.contracts.records import (
    FallbackRule,
    PublishedVersion,
    PushDelivery,
    TemplateRecord,
)
from carillon.rendering import is_partial
from carillon.web.errors import NotFound
from template_service.templates.models import Template, TemplateVersion, VersionStatus


class TemplateNotFound(NotFound):
    """No template of the organization has this code."""

    code = "template_not_found"
    message = "There is no template with this code."


class VersionNotFound(NotFound):
    """The template has no such version."""

    code = "version_not_found"
    message = "The template has no such version."


CODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
# What is sent of a version, and what its author may have written.
TEXTS = ("subject", "content", "html_content")
SOURCES = (*TEXTS, "mjml")
NAMES = ("variables", "optional_variables")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; empty text is no filter."""

    search: str = ""
    type: str = ""
    category: str = ""
    status: str = ""


def find_template(organization_id: str, code: str) -> Template:
    """Raises TemplateNotFound."""
    template = with_code(organization_id, code).first()
    if template is None:
        raise TemplateNotFound
    return template


def with_code(organization_id: str, code: str) -> QuerySet[Template]:
    """None or one. What could not be a code (it may hold a NUL) never reaches the database."""
    if not CODE.fullmatch(code):
        return Template.objects.none()
    return Template.objects.filter(organization_id=organization_id, code=code)


def list_templates(organization_id: str, filters: Filters) -> QuerySet[Template]:
    """By code."""
    found = Template.objects.filter(organization_id=organization_id)
    if filters.search:
        text = filters.search
        found = found.filter(
            Q(code__icontains=text) | Q(name__icontains=text) | Q(description__icontains=text)
        )
    if filters.type:
        found = found.filter(type=filters.type)
    if filters.category:
        found = found.filter(category=filters.category)
    if filters.status:
        found = _in_status(found, filters.status)
    return found


def shown_versions(templates: list[Template]) -> dict[str, TemplateVersion]:
    """Of each template the version to show, by template id; one query."""
    rows = (
        TemplateVersion.objects.filter(template__in=templates)
        .annotate(rank=_rank())
        .order_by("template_id", "rank", "-number")
        .distinct("template_id")
    )
    return {row.template_id: row for row in rows}


def shown_version(template: Template) -> TemplateVersion:
    """What is published in the default language; else in another; else the newest draft."""
    return shown_versions([template])[template.id]


def version_by_number(template: Template, number: int) -> TemplateVersion:
    """Raises VersionNotFound."""
    version = template.versions.filter(number=number).first()
    if version is None:
        raise VersionNotFound
    return version


def version_in_language(template: Template, language: str) -> TemplateVersion:
    """What would be sent: pt-BR falls back to pt, then to the default language.

    Before anything is published, the newest version that matches. Raises VersionNotFound.
    """
    versions = list(template.versions.order_by("-number"))
    for candidates in (
        [version for version in versions if version.status == VersionStatus.ACTIVE],
        versions,
    ):
        found = best_match(candidates, language, template.default_language)
        if found is not None:
            return found
    raise VersionNotFound


def chosen_version(
    template: Template, *, number: int | None, language: str | None
) -> TemplateVersion:
    """By number, else by language, else the one to show. Raises VersionNotFound."""
    if number is not None:
        return version_by_number(template, number)
    if language:
        return version_in_language(template, language)
    return shown_version(template)


def newest_words(template: Template, language: str) -> TemplateVersion | None:
    """The newest version in exactly this language that has words of its own.

    What was only published anew has no newer words: a draft from before it is newer.
    """
    return template.versions.filter(language=language, copy_of=None).order_by("-number").first()


def template_record(template: Template) -> TemplateRecord | None:
    """What the gateway sends from; None where nothing is published, and for partials."""
    if template.is_archived or is_partial(template.code):
        return None
    active = template.versions.filter(status=VersionStatus.ACTIVE)
    languages = {version.language: published(version) for version in active}
    if not languages:
        return None
    return TemplateRecord(
        template_id=template.id,
        code=template.code,
        type=template.type,
        revision=template.revision,
        default_language=template.default_language,
        languages=languages,
        category=template.category,
        delivery=DeliveryPolicy(template.delivery),
        track_opens=template.track_opens,
        track_clicks=template.track_clicks,
        expect_receipt_within=template.expect_receipt_within,
        fallback=fallback_of(template),
        push=push_of(template),
    )


def published(version: TemplateVersion) -> PublishedVersion:
    """A version as it is rendered."""
    prepared: dict[str, Any] = version.prepared or {}
    return PublishedVersion(
        version=version.number,
        subject=prepared.get("subject", version.subject),
        content=prepared.get("content", version.content),
        html_content=prepared.get("html_content", version.html_content),
        variables=tuple(prepared.get("variables", version.variables)),
        optional_variables=tuple(prepared.get("optional_variables", version.optional_variables)),
        provider_template=provider_template_of(version),
    )


def written(version: TemplateVersion) -> PublishedVersion:
    """A version as its author wrote it, for what is said about lines and columns.

    Its `html_content` is MJML where the author wrote that.
    """
    return PublishedVersion(
        version=version.number,
        subject=version.subject,
        content=version.content,
        html_content=version.mjml or version.html_content,
        variables=tuple(version.variables),
        optional_variables=tuple(version.optional_variables),
        provider_template=provider_template_of(version),
    )


def fallback_of(template: Template) -> FallbackRule | None:
    """What takes its place where a notification does not arrive."""
    return msgspec.convert(template.fallback, FallbackRule | None)


def push_of(template: Template) -> PushDelivery | None:
    """How its pushes are delivered."""
    return msgspec.convert(template.push, PushDelivery | None)


def provider_template_of(version: TemplateVersion) -> ProviderTemplate | None:
    """The template of a WhatsApp provider that is sent in place of its words."""
    return msgspec.convert(version.provider_template, ProviderTemplate | None)


def best_match(
    versions: Sequence[TemplateVersion], language: str, default: str
) -> TemplateVersion | None:
    """pt-BR falls back to pt, then to the default language; None where that is missing, too."""
    for tag in (language, default):
        subtags = tag.lower().split("-")
        while subtags:
            wanted = "-".join(subtags)
            for version in versions:
                if version.language.lower() == wanted:
                    return version
            subtags.pop()
    return None


def _rank() -> Case:
    active = Q(status=VersionStatus.ACTIVE)
    return Case(
        When(active & Q(language=F("template__default_language")), then=Value(0)),
        When(active, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )


def _in_status(found: QuerySet[Template], status: str) -> QuerySet[Template]:
    if status == VersionStatus.ARCHIVED:
        return found.filter(is_archived=True)
    active = Exists(
        TemplateVersion.objects.filter(template=OuterRef("pk"), status=VersionStatus.ACTIVE)
    )
    wanted = active if status == VersionStatus.ACTIVE else ~active
    return found.filter(wanted, is_archived=False)
