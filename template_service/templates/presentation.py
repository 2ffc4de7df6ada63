"""Turns stored templates into what the calls answer."""

import difflib
import json
from typing import Any

import msgspec
from msgspec import UNSET

from carillon.contracts.actors import Actor
from carillon.contracts.messages import Content, EmailContent, PushContent
from carillon.rendering import Problem
from template_service.templates.models import Template, TemplateVersion, VersionStatus
from template_service.templates.previews import Findings
from template_service.templates.selectors import fallback_of, provider_template_of, push_of
from template_service.templates.services.dependents import Dependent
from template_service.templates.shapes import (
    DependentShape,
    DiffShape,
    FieldChange,
    LintShape,
    PartShape,
    PreviewShape,
    ProblemShape,
    StampShape,
    TemplateShape,
    VersionShape,
)

COMPARED = (
    "subject",
    "content",
    "html_content",
    "mjml",
    "variables",
    "optional_variables",
    "provider_template",
    "language",
)
# Comparing lines can take time in proportion to the square of their number.
DIFF_LINES_MOST = 2_000


def show_template(
    template: Template,
    version: TemplateVersion,
    *,
    lint: Findings | None = None,
    dependents: list[Dependent] | None = None,
) -> TemplateShape:
    """The template with this version of its words."""
    return TemplateShape(
        template_id=template.id,
        code=template.code,
        name=template.name,
        description=template.description,
        type=template.type,
        category=template.category,
        delivery=str(template.delivery),
        track_opens=template.track_opens,
        track_clicks=template.track_clicks,
        expect_receipt_within=template.expect_receipt_within,
        fallback=fallback_of(template),
        push=push_of(template),
        default_language=template.default_language,
        version=version.number,
        language=version.language,
        status=_status(template, version),
        subject=version.subject,
        content=version.content,
        html_content=version.html_content,
        mjml=version.mjml,
        provider_template=provider_template_of(version),
        variables=list(version.variables),
        optional_variables=list(version.optional_variables),
        sample_data=template.sample_data,
        created_at=template.created_at,
        updated_at=template.updated_at,
        created_by=_who(version.created_by, version.created_by_name),
        published_at=version.published_at,
        published_by=_who(version.published_by, version.published_by_name),
        lint=UNSET if lint is None else show_lint(version, lint),
        dependents=UNSET if dependents is None else [_dependent(one) for one in dependents],
    )


def show_lint(version: TemplateVersion, found: Findings) -> LintShape:
    """Errors and warnings of a version."""
    return LintShape(
        version.number,
        version.language,
        publishable=not found.errors,
        errors=[_problem(problem) for problem in found.errors],
        warnings=[_problem(problem) for problem in found.warnings],
    )


def show_version(template: Template, version: TemplateVersion) -> VersionShape:
    """A line of the list."""
    return VersionShape(
        version=version.number,
        language=version.language,
        status=_status(template, version),
        subject=version.subject,
        variables=list(version.variables),
        optional_variables=list(version.optional_variables),
        parts=[PartShape(**part) for part in version.parts],
        copy_of=version.copy_of,
        **msgspec.structs.asdict(_stamp(version)),
    )


def show_diff(before: TemplateVersion, after: TemplateVersion) -> DiffShape:
    """Field by field."""
    changes = [
        FieldChange(field, old, new, _unified(before, after, old, new))
        for field in COMPARED
        if (old := _compared(before, field)) != (new := _compared(after, field))
    ]
    return DiffShape(before.number, after.number, _stamp(before), _stamp(after), changes)


def show_preview(
    template: Template, version: TemplateVersion, content: Content, warnings: list[str]
) -> PreviewShape:
    """Rendered content in the template's own field names."""
    subject, html = "", ""
    template_of_provider = None
    if isinstance(content, EmailContent):
        subject, html = content.subject, content.html
    elif isinstance(content, PushContent):
        subject = content.title
    else:
        template_of_provider = content.template
    return PreviewShape(
        type=template.type,
        category=template.category,
        subject=subject,
        content=content.body,
        html_content=html,
        provider_template=template_of_provider,
        version=version.number,
        language=version.language,
        warnings=warnings,
    )


def _problem(problem: Problem) -> ProblemShape:
    """Every field filled."""
    return ProblemShape(problem.code, problem.message, problem.field, problem.line, problem.column)


def _stamp(version: TemplateVersion) -> StampShape:
    return StampShape(
        created_at=version.created_at,
        created_by=_who(version.created_by, version.created_by_name),
        published_at=version.published_at,
        published_by=_who(version.published_by, version.published_by_name),
    )


def _who(actor_id: str, name: str) -> Actor | None:
    return Actor(actor_id, name) if actor_id else None


def _dependent(one: Dependent) -> DependentShape:
    return DependentShape(
        one.code, one.language, one.version, one.republished_as, list(one.variables_added)
    )


def _status(template: Template, version: TemplateVersion) -> str:
    return VersionStatus.ARCHIVED.value if template.is_archived else str(version.status)


def _compared(version: TemplateVersion, field: str) -> str | list[str]:
    """A text or a list; what has fields of its own is JSON that reads well."""
    value: str | list[str] | dict[str, Any] | None = getattr(version, field)
    if value is None:
        return ""
    if isinstance(value, dict):
        return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    return value


def _unified(
    before: TemplateVersion, after: TemplateVersion, old: str | list[str], new: str | list[str]
) -> str:
    if not (isinstance(old, str) and isinstance(new, str)):
        return ""
    old_lines, new_lines = old.splitlines(), new.splitlines()
    if max(len(old_lines), len(new_lines)) > DIFF_LINES_MOST:
        return ""
    lines = difflib.unified_diff(
        old_lines, new_lines, f"v{before.number}", f"v{after.number}", lineterm=""
    )
    return "\n".join(lines)
