"""Words a notification: the template's content in one language, rendered once, here."""

from typing import Any

from carillon import rendering
from carillon.contracts.messages import Content
from carillon.contracts.records import PublishedVersion, TemplateRecord
from carillon.web.errors import ValidationFailed
from gateway.notifications.errors import MissingVariables
from gateway.notifications.recipients import Recipient

USER_VARIABLE = "user"


def check_variables(version: PublishedVersion, variables: dict[str, Any]) -> None:
    """Raises MissingVariables; null counts as missing, as it does when rendering."""
    missing = [
        name for name in version.variables if variables.get(name) is None and name != USER_VARIABLE
    ]
    if missing:
        raise MissingVariables(missing)


def word(
    template: TemplateRecord,
    version: PublishedVersion,
    variables: dict[str, Any],
    recipient: Recipient,
    *,
    language: str,
    preferred: str,
) -> Content:
    """The version's content, written in `language`, with dates and numbers as the reader has them.

    `preferred` is the language that was asked for, else the recipient's. Raises MissingVariables
    or ValidationFailed.
    """
    if recipient.user_id and USER_VARIABLE not in variables:
        variables = {**variables, USER_VARIABLE: recipient.variables}
    try:
        return rendering.render_content(
            version,
            template.type,
            variables,
            language=rendering.conventions(language, preferred or language),
            timezone=recipient.timezone or "UTC",
        )
    except rendering.MissingVariables as error:
        raise MissingVariables(error.names) from None
    except rendering.RenderingError as error:
        raise ValidationFailed(error.message, details={"variables": [str(error)]}) from None
