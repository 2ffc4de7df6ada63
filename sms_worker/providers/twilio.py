"""Twilio: SMS through the Programmable Messaging API, and the client that WhatsApp shares.

https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from carillon.contracts.messages import DeliveryJob
from carillon.contracts.provider import Acceptance, Capabilities
from carillon.errors import Reason
from carillon.settings import Environment, SettingsError
from carillon.worker.providers.http import (
    DEFAULT_SECONDS,
    Answer,
    ProviderHTTP,
    failure_of,
    require_tls,
    single_address,
)
from carillon.worker.providers.verifying import account_check, refused
from sms_worker.content import text_of

_ACCOUNT = re.compile(r"AC[0-9a-fA-F]{32}")
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
_EXAMPLE_ACCOUNT = "AC0123456789abcdef0123456789abcdef"
# A message that ends so at once carries an error_code (message-resource#message-status-values).
_ENDED = frozenset({"failed", "undelivered", "canceled"})

# https://www.twilio.com/docs/api/errors/21617
LONGEST_TEXT = 1600

# https://www.twilio.com/docs/api/errors: the codes with which a message is refused at once. What
# is not listed is judged by its HTTP status.
PERMANENT: Mapping[str, Reason] = {
    "21211": Reason.INVALID_ADDRESS,  # invalid To
    "21214": Reason.INVALID_ADDRESS,  # To cannot be reached
    "21217": Reason.INVALID_ADDRESS,  # no valid number
    "21265": Reason.INVALID_ADDRESS,  # To is a short code
    "21604": Reason.INVALID_ADDRESS,  # To is missing
    "21614": Reason.INVALID_ADDRESS,  # no mobile number
    "21635": Reason.INVALID_ADDRESS,  # a landline
    "63003": Reason.INVALID_ADDRESS,  # not on WhatsApp
    "63024": Reason.INVALID_ADDRESS,  # invalid recipient of the channel
    "21610": Reason.UNSUBSCRIBED,  # answered STOP
    "63032": Reason.BLOCKED,  # WhatsApp does not let us write to this user
    "21602": Reason.INVALID_CONTENT,  # no body
    "21619": Reason.INVALID_CONTENT,  # no body, media or template
    "21656": Reason.INVALID_CONTENT,  # the template's variables are invalid
    "63013": Reason.INVALID_CONTENT,  # against the channel's policy
    "63016": Reason.INVALID_CONTENT,  # outside WhatsApp's 24 hours: needs a template
    "21605": Reason.PAYLOAD_TOO_LARGE,
    "21617": Reason.PAYLOAD_TOO_LARGE,  # more than 1,600 characters
    "20003": Reason.CONFIGURATION,  # wrong credentials
    "20005": Reason.CONFIGURATION,  # the account is not active
    "20403": Reason.CONFIGURATION,
    "20404": Reason.CONFIGURATION,  # no such account
    "21212": Reason.CONFIGURATION,  # invalid From
    "21266": Reason.CONFIGURATION,  # To and From are the same
    "21408": Reason.CONFIGURATION,  # the region is not enabled for the account
    "21603": Reason.CONFIGURATION,  # From is missing
    "21606": Reason.CONFIGURATION,  # From is no number of ours
    "21608": Reason.CONFIGURATION,  # trial accounts write to verified numbers alone
    "21609": Reason.CONFIGURATION,  # invalid StatusCallback
    "21612": Reason.CONFIGURATION,  # From cannot reach To: another provider may
    "21655": Reason.CONFIGURATION,  # invalid ContentSid
    "21659": Reason.CONFIGURATION,  # From is no Twilio number
    "21660": Reason.CONFIGURATION,  # From is another account's
    "21661": Reason.CONFIGURATION,  # From cannot send SMS
    "21701": Reason.CONFIGURATION,  # no such messaging service
    "21703": Reason.CONFIGURATION,  # the messaging service has no sender
    "21705": Reason.CONFIGURATION,  # invalid messaging service
    "63001": Reason.CONFIGURATION,  # the channel refuses its credentials
    "63007": Reason.CONFIGURATION,  # no channel with this From
}
TEMPORARY: Mapping[str, Reason] = {
    "14107": Reason.RATE_LIMITED,
    "20429": Reason.RATE_LIMITED,  # never processed
    "21611": Reason.RATE_LIMITED,  # From has too many messages queued
    "30001": Reason.RATE_LIMITED,  # queue overflow
    "63018": Reason.RATE_LIMITED,  # the channel's limit
    "20500": Reason.PROVIDER_UNAVAILABLE,
    "20503": Reason.PROVIDER_UNAVAILABLE,
    "63002": Reason.PROVIDER_UNAVAILABLE,  # the channel has a problem
}


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """Where to call, and as whom. `status_callback` is the URL that hears of receipts, if any."""

    url: str
    sid: str
    token: str
    status_callback: str = ""
    timeout: float = DEFAULT_SECONDS

    @classmethod
    def from_environment(cls, env: Environment) -> "TwilioAccount":
        """TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN; and what has a default. Raises SettingsError."""
        sid = env.text("TWILIO_ACCOUNT_SID", example=_EXAMPLE_ACCOUNT)
        if not _ACCOUNT.fullmatch(sid):
            raise SettingsError("TWILIO_ACCOUNT_SID", "is no account SID", _EXAMPLE_ACCOUNT)
        callback = env.text("TWILIO_STATUS_CALLBACK_URL", "")
        if callback:
            example = "https://notify.example.com/callbacks/twilio/"
            # With its slash: the signature of a receipt covers the URL as it was given.
            env.url("TWILIO_STATUS_CALLBACK_URL", schemes=("https", "http"), example=example)
        url = "https://api.twilio.com"
        url = env.url("TWILIO_URL", schemes=("https", "http"), example=url, default=url)
        return cls(
            url=require_tls("TWILIO_URL", url),
            sid=sid,
            token=env.text("TWILIO_AUTH_TOKEN", example="the-auth-token-of-the-account"),
            status_callback=callback,
            timeout=env.number("TWILIO_TIMEOUT_SECONDS", DEFAULT_SECONDS, least=0.1, most=60),
        )


class TwilioClient:
    """Creates messages of one account."""

    def __init__(self, account: TwilioAccount) -> None:
        self.receipts = bool(account.status_callback)
        self._callback = {"StatusCallback": account.status_callback} if self.receipts else {}
        self._account_path = f"/2010-04-01/Accounts/{account.sid}"
        self._path = f"{self._account_path}/Messages.json"
        self._http = ProviderHTTP(
            account.url,
            auth=(account.sid, account.token),
            headers={"Accept": "application/json"},
            timeout=account.timeout,
        )

    def create(self, form: Mapping[str, str]) -> Acceptance:
        """Raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        answer = self._http.post_form(self._path, {**form, **self._callback})
        said = answer.fields
        sid = said.get("sid")
        ended = said.get("status") in _ENDED
        if answer.status in {200, 201} and isinstance(sid, str) and sid and not ended:
            return Acceptance(sid)
        raise failure_of(answer, _code(answer), permanent=PERMANENT, temporary=TEMPORARY)

    def verify(self) -> str:
        """Looks at the account. Raises TemporaryFailure or PermanentFailure.

        https://www.twilio.com/docs/iam/api/account#fetch-an-account-resource: the answer has the
        auth token in it.
        """
        with account_check():
            answer = self._http.get(f"{self._account_path}.json")
            status = answer.fields.get("status")
            if answer.status != 200 or not isinstance(status, str):
                raise failure_of(answer, _code(answer), permanent=PERMANENT, temporary=TEMPORARY)
        if status != "active":
            known = status if status in {"suspended", "closed"} else "not active"
            raise refused(f"Twilio accepts the token, and the account is {known}.")
        return "Twilio accepts the token, and the account is active. The sender was not tried."

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()


class TwilioSMSProvider:
    """Text messages from one number, sender id or messaging service."""

    name = "twilio"
    capabilities = Capabilities(max_size=LONGEST_TEXT)

    def __init__(self, account: TwilioAccount, sender: str) -> None:
        self._client = TwilioClient(account)
        self.receipts = self._client.receipts
        self._sender = sender_fields(sender)

    @classmethod
    def from_environment(cls, env: Environment) -> "TwilioSMSProvider":
        """TWILIO_SMS_FROM, and what TwilioAccount reads."""
        sender = env.text("TWILIO_SMS_FROM", example="+15005550006")
        return cls(TwilioAccount.from_environment(env), sender)

    def send(self, job: DeliveryJob) -> Acceptance:
        """Raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        body = text_of(job, LONGEST_TEXT)
        return self._client.create({"To": single_address(job).value, "Body": body, **self._sender})

    def verify(self) -> str:
        """Looks at the account. Raises TemporaryFailure or PermanentFailure."""
        return self._client.verify()

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()


def sender_fields(sender: str, prefix: str = "") -> dict[str, str]:
    """A messaging service (MG…) picks the sender itself; anything else is the sender."""
    if _SERVICE.fullmatch(sender):
        return {"MessagingServiceSid": sender}
    return {"From": f"{prefix}{sender}"}


def _code(answer: Answer) -> str:
    """`code` of an error, `error_code` of a message that ended at once."""
    said = answer.fields
    return str(said.get("code") or said.get("error_code") or "")
