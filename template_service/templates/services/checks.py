"""What must be right before a version is kept, and before it is sent."""

from collections.abc import Iterable

from carillon.contracts.records import PublishedVersion
from carillon.rendering import Problem, check_syntax, check_written, provider_values
from carillon.web.errors import ValidationFailed
from template_service.templates.models import Template, TemplateVersion
from template_service.templates.options import check_fallback
from template_service.templates.selectors import SOURCES, written
from template_service.templates.services.preparing import prepare


def require_readable(version: TemplateVersion) -> None:
    """A draft may be incomplete, but never broken. Raises ValidationFailed with line and column."""
    problems = [
        problem.in_field(field)
        for field in SOURCES
        for problem in check_written(getattr(version, field))
    ]
    for field, source in provider_values(written(version)):
        problems.extend(problem.in_field(field) for problem in check_syntax(source))
    if problems:
        raise ValidationFailed("The template's syntax is broken.", details=by_field(problems))


def require_publishable(template: Template, version: TemplateVersion) -> PublishedVersion:
    """Prepares it for sending, and gives what is sent of it.

    Raises ValidationFailed that names every problem, with line and column.
    """
    prepared = prepare(template, version)
    if prepared.problems:
        message = "This version cannot be published."
        raise ValidationFailed(message, details=by_field(prepared.problems))
    prepared.keep(version)
    return prepared.content


def require_usable_fallback(template: Template, content: PublishedVersion) -> None:
    """The template's fallback can be sent where `content` was. Raises ValidationFailed."""
    errors = check_fallback(template, content).errors
    if errors:
        message = "Its fallback could not be sent."
        raise ValidationFailed(message, details=by_field(errors))


def by_field(problems: Iterable[Problem]) -> dict[str, list[str]]:
    """As the details of an error."""
    details: dict[str, list[str]] = {}
    for problem in problems:
        place = f"line {problem.line}, column {problem.column}: " if problem.line else ""
        details.setdefault(problem.field or "template", []).append(f"{place}{problem.message}")
    return details
