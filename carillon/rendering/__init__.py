"""Templates: the language, its bounds, and rendering into the content of a channel.

The gateway renders with `render_content`; the template service checks with `check_version`.
"""

from carillon.rendering.audience import conventions
from carillon.rendering.checks import check_syntax, check_version, undeclared_variables
from carillon.rendering.composing import Composed, check_written, compose, is_partial
from carillon.rendering.content import render_content
from carillon.rendering.errors import (
    BrokenTemplate,
    EmptyContent,
    InvalidSubject,
    InvalidVariables,
    MissingVariables,
    OutputTooLarge,
    Problem,
    RenderFailed,
    RenderingError,
    TooMuchWork,
)
from carillon.rendering.language import is_variable_name
from carillon.rendering.layouts import FindPart, Part
from carillon.rendering.lint import lint_content, lint_version
from carillon.rendering.provider_templates import provider_values
from carillon.rendering.subject import check_subject

__all__ = [
    "BrokenTemplate",
    "Composed",
    "EmptyContent",
    "FindPart",
    "InvalidSubject",
    "InvalidVariables",
    "MissingVariables",
    "OutputTooLarge",
    "Part",
    "Problem",
    "RenderFailed",
    "RenderingError",
    "TooMuchWork",
    "check_subject",
    "check_syntax",
    "check_version",
    "check_written",
    "compose",
    "conventions",
    "is_partial",
    "is_variable_name",
    "lint_content",
    "lint_version",
    "provider_values",
    "render_content",
    "undeclared_variables",
]
