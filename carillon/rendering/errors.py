"""Why a template cannot be used, or could not be rendered."""

from collections.abc import Sequence

import msgspec


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One thing that is wrong in a template, and where: `line` and `column` count from 1.

    `code` is stable, for programs; `field` is subject, content or html_content.
    """

    code: str
    message: str
    field: str = ""
    line: int = 0
    column: int = 0

    def in_field(self, field: str) -> "Problem":
        """The same problem, of a field."""
        return msgspec.structs.replace(self, field=field)

    def __str__(self) -> str:
        """For logs and messages: where, then what."""
        place = f"line {self.line}, column {self.column}: " if self.line else ""
        return f"{self.field} {place}{self.message}".strip()


class RenderingError(ValueError):
    """The base of this tree; `code` is stable, the message is fit for the client.

    Messages may quote the template, never the value of a variable.
    """

    code = "rendering_failed"

    def __init__(self, message: str, *, field: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.line = line
        self.column = column


class BrokenTemplate(RenderingError):
    """The source is not a template of the language; `problems` says where."""

    code = "template_invalid"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(str(problems[0]), field=problems[0].field)
        self.problems = tuple(problems)


class MissingVariables(RenderingError):
    """Variables that the template needs and was not given; null counts as not given."""

    code = "missing_variables"

    def __init__(
        self, names: Sequence[str], *, field: str = "", line: int = 0, column: int = 0
    ) -> None:
        super().__init__(
            f"Missing variables: {', '.join(names)}.", field=field, line=line, column=column
        )
        self.names = tuple(names)


class InvalidVariables(RenderingError):
    """The variables are not plain JSON values, or there is too much of them."""

    code = "invalid_variables"


class InvalidSubject(RenderingError):
    """A subject that could smuggle header lines into a message."""

    code = "invalid_subject"


class OutputTooLarge(RenderingError):
    """The rendered text is longer than the channel takes."""

    code = "content_too_large"


class EmptyContent(RenderingError):
    """There is nothing to send."""

    code = "content_empty"


class TooMuchWork(RenderingError):
    """The render was stopped: too many steps, or too much time."""

    code = "template_too_expensive"


class RenderFailed(RenderingError):
    """The template does with a value what cannot be done: adds a text to a number, say."""
