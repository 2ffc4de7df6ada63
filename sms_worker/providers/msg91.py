"""MSG91: SMS through the flow API, which fills a registered template.

https://api.msg91.com/apidoc/textsms/send-sms-flow.php
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NoReturn

from carillon.contracts.messages import DeliveryJob
from carillon.contracts.provider import Acceptance, CannotVerify, Capabilities
from carillon.errors import DeliveryFailure, Reason
from carillon.settings import Environment
from carillon.worker.providers.http import (
    DEFAULT_SECONDS,
    Answer,
    ProviderHTTP,
    failure_of,
    require_tls,
    single_address,
)
from sms_worker.content import text_of

MSG91_URL = "https://control.msg91.com"
NOT_TOLD = "MSG91 has no call that tells for every account whether its key works without sending."

# 418: https://msg91.com/help/api. The others are a reseller's list, for want of one by MSG91:
# https://msgwow.com/kb/article/what-are-all-the-error-codes-and-what-does-it-mean
PERMANENT: Mapping[str, Reason] = {
    "101": Reason.INVALID_ADDRESS,  # no number
    "202": Reason.INVALID_ADDRESS,  # no such number
    "102": Reason.INVALID_CONTENT,  # no message
    "310": Reason.PAYLOAD_TOO_LARGE,
    "103": Reason.CONFIGURATION,  # no sender id
    "105": Reason.CONFIGURATION,  # no password
    "106": Reason.CONFIGURATION,  # no key
    "107": Reason.CONFIGURATION,  # no route
    "203": Reason.CONFIGURATION,  # invalid sender id
    "207": Reason.CONFIGURATION,  # invalid key
    "208": Reason.CONFIGURATION,  # our address is not on the account's list
    "301": Reason.CONFIGURATION,  # no credit
    "302": Reason.CONFIGURATION,  # the account has expired
    "303": Reason.CONFIGURATION,  # the account is banned
    "401": Reason.CONFIGURATION,  # unauthorized
    "418": Reason.CONFIGURATION,  # our address is not on the account's list
}
TEMPORARY: Mapping[str, Reason] = {
    "306": Reason.PROVIDER_UNAVAILABLE,  # the route sleeps at night
    "311": Reason.RATE_LIMITED,  # the same text to the same number within ten seconds
}


class MSG91Provider:
    """Sends the text as the one variable of a template."""

    name = "msg91"
    capabilities = Capabilities()

    def __init__(
        self,
        *,
        url: str = MSG91_URL,
        key: str,
        template_id: str,
        variable: str = "VAR1",
        receipts: bool = False,
        timeout: float = DEFAULT_SECONDS,
    ) -> None:
        self.receipts = receipts
        self._template_id = template_id
        self._variable = variable
        self._http = ProviderHTTP(
            url, headers={"authkey": key, "Accept": "application/json"}, timeout=timeout
        )

    @classmethod
    def from_environment(cls, env: Environment) -> "MSG91Provider":
        """MSG91_AUTH_KEY and MSG91_TEMPLATE_ID; and what has a default. Raises SettingsError."""
        url = env.url("MSG91_URL", schemes=("https", "http"), example=MSG91_URL, default=MSG91_URL)
        return cls(
            url=require_tls("MSG91_URL", url),
            key=env.text("MSG91_AUTH_KEY", example="the-authkey-of-the-account"),
            template_id=env.text("MSG91_TEMPLATE_ID", example="5e1e93cad6fc054d8e759a5b"),
            variable=env.text("MSG91_VARIABLE", "VAR1"),
            receipts=env.flag("MSG91_RECEIPTS", False),
            timeout=env.number("MSG91_TIMEOUT_SECONDS", DEFAULT_SECONDS, least=0.1, most=60),
        )

    def send(self, job: DeliveryJob) -> Acceptance:
        """Raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        text = text_of(job)
        # MSG91 wants the country code without its plus sign.
        number = single_address(job).value.removeprefix("+")
        body = {
            "template_id": self._template_id,
            "short_url": "0",
            "recipients": [{"mobiles": number, self._variable: text}],
        }
        answer = self._http.post_json("/api/v5/flow", body)
        said = answer.fields
        request_id = said.get("message")
        if answer.status == 200 and said.get("type") == "success" and _is_id(request_id):
            return Acceptance(str(request_id))
        raise refusal_of(answer)

    def verify(self) -> NoReturn:
        """Raises CannotVerify.

        MSG91's one call that sends nothing tells of the balance, wants the key in the URL, and
        works only for accounts that have switched on IP security
        (https://msg91.com/help/MSG91/how-can-i-check-my-balance): it would refuse keys that work.
        """
        raise CannotVerify(NOT_TOLD)

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()


def _is_id(value: object) -> bool:
    return isinstance(value, str) and value != ""


def refusal_of(answer: Answer) -> DeliveryFailure:
    """A refusal comes with status 200 as well: the body tells, in one of two shapes."""
    said = answer.fields
    refused = said.get("type") == "error" or said.get("hasError") is True
    if refused and 200 <= answer.status < 300:
        answer = replace(answer, status=400)
    return failure_of(
        answer, _code(said) if refused else "", permanent=PERMANENT, temporary=TEMPORARY
    )


def _code(said: Mapping[str, object]) -> str:
    """`apiError` is the more exact; where neither is there, the message may be the number."""
    for name in ("apiError", "code", "message"):
        code = str(said.get(name, ""))
        if code in PERMANENT or code in TEMPORARY:
            return code
    return ""
