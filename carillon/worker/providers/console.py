"""The console provider: writes to the log what would be sent, for development and dry runs."""

from typing import Any

import structlog

from carillon.contracts.ids import new_uuid
from carillon.contracts.messages import DeliveryJob, EmailContent, PushContent
from carillon.contracts.provider import Acceptance, Capabilities
from carillon.observability.masking import mask_address
from carillon.settings import Environment

log = structlog.get_logger(__name__)


class ConsoleProvider:
    """Accepts everything. Addresses are masked; content is shown only where `show_content`.

    A production log must hold neither a one-time password nor a name, so there it tells the
    sizes alone.
    """

    name = "console"
    receipts = False
    capabilities = Capabilities()

    def __init__(self, *, show_content: bool) -> None:
        self._show_content = show_content

    @classmethod
    def from_environment(cls, env: Environment) -> "ConsoleProvider":
        """Shows content where ENVIRONMENT is local."""
        return cls(show_content=not env.is_production)

    def send(self, job: DeliveryJob) -> Acceptance:
        """Log the message; never fails."""
        message_id = f"console_{new_uuid().hex}"
        log.info(
            "message",
            channel=job.channel,
            to=[mask_address(address.value) for address in job.addresses],
            notification_id=job.notification_id,
            correlation_id=job.correlation_id,
            provider_message_id=message_id,
            **(_shown(job) if self._show_content else _sizes(job)),
        )
        return Acceptance(message_id)

    def close(self) -> None:
        """Nothing to release."""


def _shown(job: DeliveryJob) -> dict[str, Any]:
    content = job.content
    if isinstance(content, EmailContent):
        return {"subject": content.subject, "body": content.body, "html": content.html}
    if isinstance(content, PushContent):
        return {"title": content.title, "body": content.body, "data": content.data}
    return {"body": content.body}


def _sizes(job: DeliveryJob) -> dict[str, Any]:
    return {
        f"{name}_length": len(value)
        for name, value in _shown(job).items()
        if isinstance(value, str)
    }
