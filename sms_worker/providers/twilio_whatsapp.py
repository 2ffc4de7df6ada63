"""Twilio: WhatsApp messages, as free text or as an approved template.

https://www.twilio.com/docs/whatsapp/api: the same call as for SMS, with addresses of the form
`whatsapp:+15005550006`.
"""

import re
from collections.abc import Mapping

import msgspec

from carillon.contracts.messages import DeliveryJob, ProviderTemplate
from carillon.contracts.provider import Acceptance, Capabilities
from carillon.errors import PermanentFailure, Reason
from carillon.settings import Environment, SettingsError
from carillon.worker.providers.http import single_address
from sms_worker.content import template_of, text_of
from sms_worker.providers.twilio import LONGEST_TEXT, TwilioAccount, TwilioClient, sender_fields

_PREFIX = "whatsapp:"
_CONTENT = re.compile(r"HX[0-9a-fA-F]{32}")
_EXAMPLE_CONTENT = "HX0123456789abcdef0123456789abcdef"


class TwilioWhatsAppProvider:
    """Free text reaches only users who wrote to us within 24 hours; a template reaches all.

    A job may name its template. Where it does not and `content_sid` names one, the text becomes
    variable 1 of that one.
    """

    name = "twilio"
    capabilities = Capabilities(max_size=LONGEST_TEXT)

    def __init__(self, account: TwilioAccount, sender: str, content_sid: str = "") -> None:
        self._client = TwilioClient(account)
        self.receipts = self._client.receipts
        self._sender = sender_fields(sender.removeprefix(_PREFIX), _PREFIX)
        self._content_sid = content_sid

    @classmethod
    def from_environment(cls, env: Environment) -> "TwilioWhatsAppProvider":
        """TWILIO_WHATSAPP_FROM, TWILIO_WHATSAPP_CONTENT_SID, and what TwilioAccount reads."""
        content_sid = env.text("TWILIO_WHATSAPP_CONTENT_SID", "")
        if content_sid and not _CONTENT.fullmatch(content_sid):
            raise SettingsError(
                "TWILIO_WHATSAPP_CONTENT_SID", "is no content SID", _EXAMPLE_CONTENT
            )
        sender = env.text("TWILIO_WHATSAPP_FROM", example="+14155238886")
        return cls(TwilioAccount.from_environment(env), sender, content_sid)

    def send(self, job: DeliveryJob) -> Acceptance:
        """Raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        to = f"{_PREFIX}{single_address(job).value}"
        return self._client.create({"To": to, **self._sender, **self._content(job)})

    def verify(self) -> str:
        """Looks at the account. Raises TemporaryFailure or PermanentFailure."""
        return self._client.verify()

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

    def _content(self, job: DeliveryJob) -> dict[str, str]:
        """Raises PermanentFailure."""
        template = template_of(job)
        if template is not None:
            return _filled(template)
        text = text_of(job, LONGEST_TEXT)
        if not self._content_sid:
            return {"Body": text}
        # Body has to be absent beside a template (https://www.twilio.com/docs/api/errors/63016).
        return {"ContentSid": self._content_sid, "ContentVariables": _variables({"1": text})}


def _filled(template: ProviderTemplate) -> dict[str, str]:
    """Twilio numbers all of a template's variables together, header, body and buttons alike.

    https://www.twilio.com/docs/content/using-variables-with-content-api. Raises PermanentFailure.
    """
    if not _CONTENT.fullmatch(template.name):
        raise PermanentFailure(
            "Twilio's templates are named by their ContentSid.", reason=Reason.INVALID_CONTENT
        )
    ends = [template.buttons[position] for position in sorted(template.buttons, key=int)]
    values = [*template.header, *template.parameters, *ends]
    if not values:
        return {"ContentSid": template.name}
    numbered = {str(number): value for number, value in enumerate(values, 1)}
    return {"ContentSid": template.name, "ContentVariables": _variables(numbered)}


def _variables(values: Mapping[str, str]) -> str:
    """Raises PermanentFailure."""
    try:
        return msgspec.json.encode(values).decode()
    except UnicodeEncodeError:
        raise PermanentFailure(
            "The content is not valid Unicode.", reason=Reason.INVALID_CONTENT
        ) from None
