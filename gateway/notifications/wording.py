"""Words a notification: the template's content in one language, rendered once, here."""

from typing import Any

from carillon import rendering
from carillon.contracts.messages import Content
from carillon.contracts.records import PublishedVersion, TemplateRecord
from carillon.contracts.template_variables import BUILT_IN
from carillon.web.errors import ValidationFailed
from gateway.notifications.errors import MissingVariables
from gateway.notifications.options import delivered_as
from gateway.notifications.recipients import Recipient
from gateway.unsubscribe.links import Links

USER_VARIABLE = "user"
_OURS = frozenset({USER_VARIABLE, *BUILT_IN})


def check_variables(version: PublishedVersion, variables: dict[str, Any]) -> None:
    """Raises MissingVariables; null counts as missing, as it does when rendering."""
    missing = [
        name for name in version.variables if variables.get(name) is None and name not in _OURS
    ]
    if missing:
        raise MissingVariables(missing)


def word(
    template: TemplateRecord,
    version: PublishedVersion,
    variables: dict[str, Any],
    recipient: Recipient,
    links: Links,
    *,
    language: str,
    preferred: str,
) -> Content:
    """The version's content, written in `language`, with dates and numbers as the reader has them.

    `preferred` is the language that was asked for, else the recipient's. A client that has pages
    of its own may give their addresses in the variables of `links`. Raises MissingVariables or
    ValidationFailed.
    """
    given = {name: value for name, value in variables.items() if value is not None}
    variables = {**variables, **links.variables(), **given}
    if recipient.user_id and USER_VARIABLE not in variables:
        variables[USER_VARIABLE] = recipient.variables
    try:
        content = rendering.render_content(
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
    return content if template.push is None else delivered_as(content, template.push)
