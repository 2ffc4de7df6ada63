"""Renders and lints a version for its author; nothing is sent and nothing is stored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from carillon.contracts.messages import Content
from carillon.contracts.records import PublishedVersion
from carillon.contracts.template_variables import BUILT_IN
from carillon.rendering import (
    MissingVariables,
    Problem,
    RenderingError,
    conventions,
    is_partial,
    lint_content,
    lint_version,
    render_content,
)
from carillon.web.errors import ApiError, ValidationFailed
from template_service.templates.models import Template, TemplateVersion, VersionStatus
from template_service.templates.options import FIELD as FALLBACK
from template_service.templates.options import check_fallback, lacking_origins
from template_service.templates.parts import PublishedParts, outdated_parts
from template_service.templates.selectors import published
from template_service.templates.services.checks import by_field
from template_service.templates.services.preparing import prepare
from template_service.templates.translations import missing_translations

# Of a send they lead to pages of its recipient.
SAMPLE_LINKS: Final = {name: f"https://example.com/{name}" for name in BUILT_IN}


@dataclass(frozen=True, slots=True)
class Findings:
    """`errors` keep a version from being published, `warnings` do not."""

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


class VariablesMissing(ApiError):
    """The same answer as the gateway's to a send."""

    status = 400
    code = "missing_variables"


def preview(
    template: Template,
    version: TemplateVersion,
    data: Mapping[str, Any],
    *,
    language: str = "",
    timezone: str = "UTC",
) -> tuple[Content, list[str]]:
    """The content as it would be sent, and the warnings. Raises VariablesMissing, ValidationFailed.

    `language` is the reader's, as it is for the gateway. A draft that could not be published is
    not rendered: its problems are the answer. What was published is shown as it was.
    """
    found = lint(template, version)
    # What the fallback lacks says nothing of these words.
    broken = [error for error in found.errors if error.field != FALLBACK]
    if version.published_at is None and broken:
        message = "This version cannot be rendered yet."
        raise ValidationFailed(message, details=by_field(broken))
    try:
        content = render_content(
            as_sent(template, version),
            template.type,
            {**SAMPLE_LINKS, **data},
            language=conventions(version.language, language),
            timezone=timezone,
        )
    except MissingVariables as error:
        details = {name: ["This variable is required."] for name in error.names}
        raise VariablesMissing(error.message, details=details) from None
    except RenderingError as error:
        raise ValidationFailed(details={error.field or "data": [error.message]}) from None
    warnings = (*found.warnings, *lint_content(content))
    return content, list(dict.fromkeys(warning.message for warning in warnings))


def as_sent(template: Template, version: TemplateVersion) -> PublishedVersion:
    """What was published, or of a draft what would be; a broken one is rendered by nobody."""
    if version.published_at is not None:
        return published(version)
    return prepare(template, version).content


def lint(template: Template, version: TemplateVersion) -> Findings:
    """What publishing the version now would say."""
    prepared = prepare(template, version)
    composed = prepared.composed
    if composed.problems:
        return Findings(composed.problems, composed.warnings)
    fallback = check_fallback(template, prepared.content)
    partial = is_partial(template.code)
    # As written, for its lines; its HTML as it is sent, for its size.
    version_sent = msgspec.structs.replace(
        composed.version, html_content=prepared.content.html_content
    )
    warnings = lint_version(
        version_sent, template.type, category=template.category, partial=partial
    )
    return Findings(
        (*prepared.problems, *fallback.errors),
        (
            *composed.warnings,
            *map(composed.in_own_terms, warnings),
            *fallback.warnings,
            *lacking_origins(template, prepared.content),
            *_outdated(template, version),
            *missing_translations(template, version),
        ),
    )


def _outdated(template: Template, version: TemplateVersion) -> Iterator[Problem]:
    if version.status != VersionStatus.ACTIVE:
        return
    find = PublishedParts(template.organization_id, version.language)
    for part in outdated_parts(version, find):
        message = (
            f"{part.code} is published as version {part.number}: publish this again to use it."
        )
        yield Problem(code="outdated_part", message=message, field="template")
