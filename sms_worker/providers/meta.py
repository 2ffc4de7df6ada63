"""Meta: WhatsApp messages through the Cloud API, as free text or as an approved template.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from carillon.contracts.messages import DeliveryJob, ProviderTemplate
from carillon.contracts.provider import Acceptance, Capabilities
from carillon.errors import PermanentFailure, Reason
from carillon.settings import Environment, SettingsError
from carillon.worker.providers.http import (
    DEFAULT_SECONDS,
    Answer,
    ProviderHTTP,
    failure_of,
    require_tls,
    single_address,
)
from carillon.worker.providers.verifying import account_check
from sms_worker.content import template_of, text_of

_URL = "https://graph.facebook.com"
_VERSION = "v23.0"
# https://developers.facebook.com/docs/whatsapp/cloud-api/messages/text-messages
LONGEST_TEXT = 4096

# https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes: Meta asks to decide
# by `code`, never by the HTTP status or the title.
PERMANENT: Mapping[str, Reason] = {
    "131021": Reason.INVALID_ADDRESS,  # the recipient is the sender
    "131026": Reason.INVALID_ADDRESS,  # not on WhatsApp, or with a client too old
    "131050": Reason.UNSUBSCRIBED,  # wants no marketing from us
    "130472": Reason.BLOCKED,  # in an experiment that keeps marketing from this user
    "131008": Reason.INVALID_CONTENT,  # a parameter is missing
    "131009": Reason.INVALID_CONTENT,  # a parameter's value is invalid
    "131047": Reason.INVALID_CONTENT,  # more than 24 hours since the user wrote: needs a template
    "131051": Reason.INVALID_CONTENT,  # a type of message that is not supported
    "132007": Reason.INVALID_CONTENT,  # against WhatsApp's policy for templates
    "132012": Reason.INVALID_CONTENT,  # the variable does not fit the template
    "132005": Reason.PAYLOAD_TOO_LARGE,  # the filled template is too long
    **{str(code): Reason.CONFIGURATION for code in range(200, 300)},  # permissions
    "0": Reason.CONFIGURATION,  # the app cannot be authenticated
    "3": Reason.CONFIGURATION,  # no permission for the call
    "10": Reason.CONFIGURATION,  # no permission
    "33": Reason.CONFIGURATION,  # our number was deleted
    "190": Reason.CONFIGURATION,  # the access token has expired
    "368": Reason.CONFIGURATION,  # the account is restricted
    "130497": Reason.CONFIGURATION,  # the account may not write to this country
    "131005": Reason.CONFIGURATION,  # access denied
    "131030": Reason.CONFIGURATION,  # a test number writes to listed recipients alone
    "131031": Reason.CONFIGURATION,  # the account is locked
    "131037": Reason.CONFIGURATION,  # our display name is not approved
    "131042": Reason.CONFIGURATION,  # payment
    "131045": Reason.CONFIGURATION,  # our number is not registered
    "132000": Reason.CONFIGURATION,  # the template has another number of variables
    "132001": Reason.CONFIGURATION,  # no such template in this language
    "132015": Reason.CONFIGURATION,  # the template is paused
    "132016": Reason.CONFIGURATION,  # the template is disabled
    "133010": Reason.CONFIGURATION,  # our number is not registered
}
TEMPORARY: Mapping[str, Reason] = {
    "1": Reason.PROVIDER_UNAVAILABLE,  # unknown
    "2": Reason.PROVIDER_UNAVAILABLE,  # down or overloaded
    "131000": Reason.PROVIDER_UNAVAILABLE,  # something went wrong
    "131016": Reason.PROVIDER_UNAVAILABLE,  # a service is unavailable
    "131057": Reason.PROVIDER_UNAVAILABLE,  # the account is in maintenance
    "133004": Reason.PROVIDER_UNAVAILABLE,
    "4": Reason.RATE_LIMITED,  # the app's calls
    "80007": Reason.RATE_LIMITED,  # the account's calls
    "130429": Reason.RATE_LIMITED,  # throughput
    "131048": Reason.RATE_LIMITED,  # too many of our messages were marked as spam
    # About one recipient alone: a breaker that heard of it would stop all the others.
    "131049": Reason.OTHER,  # Meta spares this user more marketing for now
    "131056": Reason.OTHER,  # too many messages to this user
}


@dataclass(frozen=True, slots=True)
class Template:
    """An approved template with one variable in its body, which becomes the text."""

    name: str
    language: str


class MetaProvider:
    """Free text reaches only users who wrote to us within 24 hours; a template reaches all.

    A job may name its template. Where it does not and the settings do, the text becomes the one
    variable of theirs.
    """

    name = "meta"
    # https://developers.facebook.com/docs/whatsapp/cloud-api/overview#throughput
    capabilities = Capabilities(max_size=LONGEST_TEXT, rate_per_second=80)

    def __init__(
        self,
        *,
        url: str = _URL,
        version: str = _VERSION,
        token: str,
        phone_number_id: str,
        template: Template | None = None,
        language: str = "en_US",
        receipts: bool = False,
        timeout: float = DEFAULT_SECONDS,
    ) -> None:
        self.receipts = receipts
        self._template = template
        self._language = language
        self._number_path = f"/{version}/{phone_number_id}"
        self._phone_number_id = phone_number_id
        self._http = ProviderHTTP(
            url, headers={"Authorization": f"Bearer {token}"}, timeout=timeout
        )

    @classmethod
    def from_environment(cls, env: Environment) -> "MetaProvider":
        """META_ACCESS_TOKEN, META_PHONE_NUMBER_ID; what has a default. Raises SettingsError."""
        url = env.url("META_URL", schemes=("https", "http"), example=_URL, default=_URL)
        version = env.text("META_API_VERSION", _VERSION)
        if not re.fullmatch(r"v\d{1,3}\.\d", version):
            raise SettingsError("META_API_VERSION", "is no version of the Graph API", _VERSION)
        phone_number_id = env.text("META_PHONE_NUMBER_ID", example="106540352242922")
        if not re.fullmatch(r"[0-9]{5,32}", phone_number_id):
            raise SettingsError("META_PHONE_NUMBER_ID", "is no id of a number", "106540352242922")
        template = env.text("META_TEMPLATE", "")
        language = env.text("META_TEMPLATE_LANGUAGE", "en_US")
        return cls(
            url=require_tls("META_URL", url),
            version=version,
            token=env.text("META_ACCESS_TOKEN", example="the-token-of-a-system-user"),
            phone_number_id=phone_number_id,
            template=Template(template, language) if template else None,
            language=language,
            receipts=env.flag("META_RECEIPTS", False),
            timeout=env.number("META_TIMEOUT_SECONDS", DEFAULT_SECONDS, least=0.1, most=60),
        )

    def send(self, job: DeliveryJob) -> Acceptance:
        """Raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": single_address(job).value,
            **self._content(job),
        }
        answer = self._http.post_json(f"{self._number_path}/messages", body)
        message_id = _message_id(answer)
        if answer.status == 200 and message_id:
            return Acceptance(message_id)
        raise failure_of(answer, _code(answer), permanent=PERMANENT, temporary=TEMPORARY)

    def verify(self) -> str:
        """Looks at the phone number. Raises TemporaryFailure or PermanentFailure.

        https://developers.facebook.com/docs/graph-api/reference/
        whats-app-business-account-to-number-current-status/
        """
        with account_check():
            answer = self._http.get(f"{self._number_path}?fields=id")
            if answer.status != 200 or answer.fields.get("id") != self._phone_number_id:
                raise failure_of(answer, _code(answer), permanent=PERMANENT, temporary=TEMPORARY)
        return "Meta accepts the token, and it may see the phone number. Sending was not tried."

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def _content(self, job: DeliveryJob) -> dict[str, Any]:
        """Raises PermanentFailure."""
        template = template_of(job)
        if template is None:
            text = text_of(job, LONGEST_TEXT)
            if self._template is None:
                return {"type": "text", "text": {"preview_url": False, "body": text}}
            own = self._template
            template = ProviderTemplate(own.name, own.language, parameters=(text,))
        if not re.fullmatch(r"[a-z0-9_]{1,512}", template.name):
            raise PermanentFailure(
                "Meta's templates have names of small letters, digits and _.",
                reason=Reason.INVALID_CONTENT,
            )
        return {
            "type": "template",
            "template": {
                "name": template.name,
                "language": {"code": template.language or self._language},
                **({"components": parts} if (parts := _components(template)) else {}),
            },
        }


def _components(template: ProviderTemplate) -> list[dict[str, Any]]:
    """What fills the template, part by part.

    https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-message-templates
    """

    def texts(values: Iterable[str]) -> list[dict[str, str]]:
        return [{"type": "text", "text": value} for value in values]

    parts: list[dict[str, Any]] = [
        {"type": kind, "parameters": texts(values)}
        for kind, values in (("header", template.header), ("body", template.parameters))
        if values
    ]
    for position in sorted(template.buttons, key=int):
        end = texts([template.buttons[position]])
        parts.append({"type": "button", "sub_type": "url", "index": position, "parameters": end})
    return parts


def _message_id(answer: Answer) -> str:
    messages = answer.fields.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    message_id = first.get("id") if isinstance(first, dict) else None
    return message_id if isinstance(message_id, str) else ""


def _code(answer: Answer) -> str:
    error = answer.fields.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return str(code) if isinstance(code, int) else ""
