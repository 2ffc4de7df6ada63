"""MSG91: WhatsApp messages, as approved templates.

https://docs.msg91.com/whatsapp: one call may be for many recipients; ours is for one.
"""

import re
from typing import Any, NoReturn

from carillon.contracts.messages import DeliveryJob, ProviderTemplate
from carillon.contracts.provider import Acceptance, CannotVerify, Capabilities
from carillon.errors import PermanentFailure, Reason
from carillon.settings import Environment, SettingsError
from carillon.worker.providers.http import (
    DEFAULT_SECONDS,
    ProviderHTTP,
    require_tls,
    single_address,
)
from sms_worker.content import template_of, text_of
from sms_worker.providers.msg91 import MSG91_URL, NOT_TOLD, refusal_of

_PATH = "/api/v5/whatsapp/whatsapp-outbound-message/bulk/"
_NUMBER = re.compile(r"[0-9]{5,15}")
_EXAMPLE_NUMBER = "919876543210"
# WhatsApp's own limit of a template's text
# (https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates).
LONGEST_TEXT = 1024


class MSG91WhatsAppProvider:
    """Sends templates alone: the job's, or that of the settings with the text as its variable."""

    name = "msg91_whatsapp"
    capabilities = Capabilities(max_size=LONGEST_TEXT)

    def __init__(
        self,
        *,
        url: str = MSG91_URL,
        key: str,
        number: str,
        template: str = "",
        language: str = "en",
        namespace: str = "",
        receipts: bool = False,
        timeout: float = DEFAULT_SECONDS,
    ) -> None:
        self.receipts = receipts
        self._number = number
        self._template = template
        self._language = language
        self._namespace = namespace
        self._http = ProviderHTTP(
            url, headers={"authkey": key, "Accept": "application/json"}, timeout=timeout
        )

    @classmethod
    def from_environment(cls, env: Environment) -> "MSG91WhatsAppProvider":
        """MSG91_AUTH_KEY, MSG91_WHATSAPP_NUMBER; what has a default. Raises SettingsError."""
        url = env.url("MSG91_URL", schemes=("https", "http"), example=MSG91_URL, default=MSG91_URL)
        name = "MSG91_WHATSAPP_NUMBER"
        number = env.text(name, example=_EXAMPLE_NUMBER).removeprefix("+")
        if not _NUMBER.fullmatch(number):
            raise SettingsError(name, "is no number", _EXAMPLE_NUMBER)
        return cls(
            url=require_tls("MSG91_URL", url),
            key=env.text("MSG91_AUTH_KEY", example="the-authkey-of-the-account"),
            number=number,
            template=env.text("MSG91_WHATSAPP_TEMPLATE", ""),
            language=env.text("MSG91_WHATSAPP_TEMPLATE_LANGUAGE", "en"),
            namespace=env.text("MSG91_WHATSAPP_NAMESPACE", ""),
            receipts=env.flag("MSG91_RECEIPTS", False),
            timeout=env.number("MSG91_TIMEOUT_SECONDS", DEFAULT_SECONDS, least=0.1, most=60),
        )

    def send(self, job: DeliveryJob) -> Acceptance:
        """Raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        template = template_of(job) or self._own(text_of(job, LONGEST_TEXT))
        number = single_address(job).value.removeprefix("+")
        namespace = template.namespace or self._namespace
        language = {"code": template.language or self._language, "policy": "deterministic"}
        body = {
            "integrated_number": self._number,
            "content_type": "template",
            "payload": {
                "messaging_product": "whatsapp",
                "type": "template",
                "template": {
                    "name": template.name,
                    "language": language,
                    **({"namespace": namespace} if namespace else {}),
                    "to_and_components": [{"to": [number], "components": _components(template)}],
                },
            },
        }
        answer = self._http.post_json(_PATH, body)
        said = answer.fields
        success = said.get("status") == "success" or said.get("type") == "success"
        if answer.status == 200 and success and said.get("hasError") is not True:
            request_id = said.get("request_id")
            return Acceptance(request_id if isinstance(request_id, str) else "")
        raise refusal_of(answer)

    def verify(self) -> NoReturn:
        """Raises CannotVerify, as for SMS."""
        raise CannotVerify(NOT_TOLD)

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def _own(self, text: str) -> ProviderTemplate:
        """The settings' template, with the text as its one variable. Raises PermanentFailure."""
        if not self._template:
            raise PermanentFailure(
                "MSG91 sends templates alone, and none is set.", reason=Reason.CONFIGURATION
            )
        return ProviderTemplate(self._template, parameters=(text,))


def _components(template: ProviderTemplate) -> dict[str, Any]:
    """MSG91 numbers what fills each part, from 1."""

    def texts(part: str, values: tuple[str, ...]) -> dict[str, Any]:
        return {
            f"{part}_{number}": {"type": "text", "value": value}
            for number, value in enumerate(values, 1)
        }

    buttons = {
        f"button_{int(position) + 1}": {"subtype": "url", "type": "text", "value": end}
        for position, end in sorted(template.buttons.items(), key=lambda item: int(item[0]))
    }
    return {**texts("header", template.header), **texts("body", template.parameters), **buttons}
