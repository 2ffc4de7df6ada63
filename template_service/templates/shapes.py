"""What the calls answer."""

import difflib
import json
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from carillon.contracts.actors import Actor
from carillon.contracts.messages import Content, EmailContent, ProviderTemplate, PushContent
from carillon.contracts.records import FallbackRule, PushDelivery
from carillon.rendering import Problem
from template_service.templates.models import Template, TemplateVersion, VersionStatus
from template_service.templates.previews import Findings
from template_service.templates.selectors import fallback_of, provider_template_of, push_of
from template_service.templates.services.dependents import Dependent

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


class ProblemShape(msgspec.Struct, frozen=True):
    """Something wrong, and where; line and column count from 1, 0 where they say nothing."""

    code: str
    message: str
    field: str
    line: int
    column: int


class LintShape(msgspec.Struct, frozen=True):
    """`errors` keep a version from being published; `warnings` do not."""

    version: int
    language: str
    publishable: bool
    errors: list[ProblemShape]
    warnings: list[ProblemShape]


class DependentShape(msgspec.Struct, frozen=True):
    """A published version that has an earlier version of this template in it.

    `republished_as` is the version that took its place, null where it was not published anew;
    `variables_added` are those that sends have to give from then on.
    """

    code: str
    language: str
    version: int
    republished_as: int | None
    variables_added: list[str]


class TemplateShape(msgspec.Struct, frozen=True, kw_only=True):
    """A template with one of its versions: the reference's fields, and ours.

    `created_by` wrote this version. `lint` is in the answers of calls that write, `dependents` in
    those that publish.
    """

    template_id: str
    code: str
    name: str
    description: str
    type: str
    category: str
    delivery: str
    track_opens: bool
    track_clicks: bool
    expect_receipt_within: int
    fallback: FallbackRule | None
    push: PushDelivery | None
    default_language: str
    version: int
    language: str
    status: str
    subject: str
    content: str
    html_content: str
    mjml: str
    provider_template: ProviderTemplate | None
    variables: list[str]
    optional_variables: list[str]
    sample_data: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    created_by: Actor | None
    published_at: datetime | None
    published_by: Actor | None
    lint: LintShape | UnsetType = UNSET
    dependents: list[DependentShape] | UnsetType = UNSET


class StampShape(msgspec.Struct, frozen=True, kw_only=True):
    """Who wrote and who published a version, and when."""

    created_at: datetime
    created_by: Actor | None
    published_at: datetime | None
    published_by: Actor | None


class PartShape(msgspec.Struct, frozen=True):
    """A layout or partial that is in a published version."""

    code: str
    version: int
    language: str


class VersionShape(StampShape, frozen=True, kw_only=True):
    """A version in the list of versions.

    `copy_of` is the version whose words were published anew, with newer parts.
    """

    version: int
    language: str
    status: str
    subject: str
    variables: list[str]
    optional_variables: list[str]
    parts: list[PartShape]
    copy_of: int | None


class FieldChange(msgspec.Struct, frozen=True):
    """A field that differs; `unified` is a unified diff, empty for lists and long texts."""

    field: str
    before: str | list[str]
    after: str | list[str]
    unified: str


class DiffShape(msgspec.Struct, frozen=True):
    """What differs between two versions."""

    from_version: int
    to_version: int
    before: StampShape
    after: StampShape
    changes: list[FieldChange]


class PreviewShape(msgspec.Struct, frozen=True, kw_only=True):
    """What would be sent; where there is a `provider_template`, that alone."""

    type: str
    category: str
    subject: str
    content: str
    html_content: str
    provider_template: ProviderTemplate | None
    version: int
    language: str
    warnings: list[str]


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
