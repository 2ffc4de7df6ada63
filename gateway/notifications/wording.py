"""Words a notification: the template's content in one language, rendered once, here."""

from typing import Any

from carillon.contracts.messages import Content
from carillon.contracts.records import PublishedVersion
from carillon.rendering import errors as rendering
from carillon.web.errors import ValidationFailed
from gateway.notifications.errors import MissingVariables
from gateway.notifications.recipients import Recipient


def word(
    channel: str, version: PublishedVersion, variables: dict[str, Any], recipient: Recipient
) -> Content:
    """Raises MissingVariables or ValidationFailed."""
    from carillon.rendering import render_content

    try:
        return render_content(version, channel, variables)
    except rendering.MissingVariables as error:
        raise MissingVariables(error.names) from None
    except rendering.RenderingError as error:
        raise ValidationFailed(error.message, details={"variables": [str(error)]}) from None
