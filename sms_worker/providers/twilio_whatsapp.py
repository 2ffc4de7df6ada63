"""Twilio: WhatsApp messages, as free text or as an approved template.

https://www.twilio.com/docs/whatsapp/api: the same call as for SMS, with addresses of the form
`whatsapp:+15005550006`.
"""

import re

import msgspec

from carillon.contracts.messages import DeliveryJob
from carillon.contracts.provider import Acceptance
from carillon.settings import Environment, SettingsError
from carillon.worker.providers.http import single_address
from sms_worker.providers.twilio import TwilioAccount, TwilioClient, sender_fields, text_of

_PREFIX = "whatsapp:"
_CONTENT = re.compile(r"HX[0-9a-fA-F]{32}")
_EXAMPLE_CONTENT = "HX0123456789abcdef0123456789abcdef"


class TwilioWhatsAppProvider:
    """Free text reaches only users who wrote to us within 24 hours; a template reaches all.

    Where `content_sid` names an approved template, the text becomes its variable 1.
    """

    name = "twilio"

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
        text = text_of(job)
        to = f"{_PREFIX}{single_address(job).value}"
        return self._client.create({"To": to, **self._sender, **self._content(text)})

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

    def _content(self, text: str) -> dict[str, str]:
        if not self._content_sid:
            return {"Body": text}
        variables = msgspec.json.encode({"1": text}).decode()
        # Body has to be absent beside a template (https://www.twilio.com/docs/api/errors/63016).
        return {"ContentSid": self._content_sid, "ContentVariables": variables}
