"""What must be right before a version is kept, and before it is sent."""

from collections.abc import Iterable

from carillon.rendering import Problem, check_syntax, check_version
from carillon.web.errors import ValidationFailed
from template_service.templates.models import Template, TemplateVersion
from template_service.templates.selectors import published, written
from template_service.templates.services.preparing import prepare

SOURCES = ("subject", "content", "html_content")


def require_readable(version: TemplateVersion) -> None:
    """A draft may be incomplete, but never broken. Raises ValidationFailed with line and column."""
    problems = [
        (field, problem) for field in SOURCES for problem in check_syntax(getattr(version, field))
    ]
    if problems:
        details: dict[str, list[str]] = {}
        for field, problem in problems:
            details.setdefault(field, []).append(str(problem))
        raise ValidationFailed("The template's syntax is broken.", details=details)


def require_publishable(template: Template, version: TemplateVersion) -> None:
    """Prepares it for sending.

    Raises ValidationFailed that names every problem, with line and column.
    """
    problems = problems_of(template, version)
    if problems:
        raise ValidationFailed("This version cannot be published.", details=by_field(problems))
    version.prepared = prepare(template, version)


def problems_of(template: Template, version: TemplateVersion) -> tuple[Problem, ...]:
    """What keeps the version from being published: first in its own words, then as prepared."""
    problems = check_version(written(version), template.type)
    if problems or version.prepared is not None:
        return problems
    version.prepared = prepare(template, version)
    return check_version(published(version), template.type)


def by_field(problems: Iterable[Problem]) -> dict[str, list[str]]:
    """As the details of an error."""
    details: dict[str, list[str]] = {}
    for problem in problems:
        place = f"line {problem.line}, column {problem.column}: " if problem.line else ""
        details.setdefault(problem.field or "template", []).append(f"{place}{problem.message}")
    return details
