"""Renders and lints a version for its author; nothing is sent and nothing is stored."""

from collections.abc import Mapping
from typing import Any

from carillon.contracts.messages import Content
from carillon.rendering import (
    MissingVariables,
    Problem,
    RenderingError,
    conventions,
    lint_content,
    lint_version,
    render_content,
)
from carillon.web.errors import ApiError, ValidationFailed
from template_service.templates.models import Template, TemplateVersion
from template_service.templates.selectors import published, written
from template_service.templates.services.checks import by_field, problems_of


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

    `language` is the reader's, as it is for the gateway. A version that could not be
    published is not rendered: its problems are the answer.
    """
    problems = problems_of(template, version)
    if problems:
        raise ValidationFailed("This version cannot be rendered yet.", details=by_field(problems))
    try:
        content = render_content(
            published(version),
            template.type,
            data,
            language=conventions(version.language, language),
            timezone=timezone,
        )
    except MissingVariables as error:
        details = {name: ["This variable is required."] for name in error.names}
        raise VariablesMissing(error.message, details=details) from None
    except RenderingError as error:
        raise ValidationFailed(details={error.field or "data": [error.message]}) from None
    warnings = (*warnings_of(template, version), *lint_content(content))
    return content, list(dict.fromkeys(warning.message for warning in warnings))


def warnings_of(template: Template, version: TemplateVersion) -> tuple[Problem, ...]:
    """What is worth a thought, but may be meant."""
    return lint_version(written(version), template.type, category=template.category)
