"""SendGrid: email through the v3 Mail Send API.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
"""

import binascii
from collections.abc import Callable, Mapping
from email.utils import getaddresses
from time import time
from typing import Any

from carillon.contracts.messages import Address, DeliveryJob, EmailContent
from carillon.contracts.provider import Acceptance, Capabilities
from carillon.errors import PermanentFailure, Reason
from carillon.settings import Environment
from carillon.worker.providers.http import (
    DEFAULT_SECONDS,
    Answer,
    ProviderHTTP,
    failure_of,
    require_tls,
)
from carillon.worker.providers.verifying import account_check, refused
from email_worker.attachments import File, files_of
from email_worker.mailbox import InvalidMailbox, parse_mailbox
from email_worker.mime import client_headers, reply_to, unsubscribe_headers
from email_worker.providers.smtp import sender_from

_URL = "https://api.sendgrid.com"

# An error names the field that it is about and has no code
# (https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors): these are the fields.
# Credentials and credit (401), unverified senders and blocks (403), size (413) and limits (429)
# are told by the HTTP status.
PERMANENT: Mapping[str, Reason] = {
    "to": Reason.INVALID_ADDRESS,
    "subject": Reason.INVALID_CONTENT,
    "content": Reason.INVALID_CONTENT,
    "from": Reason.CONFIGURATION,
}
_TEMPORARY: Mapping[str, Reason] = {}
_SEND_SCOPE = "mail.send"
# Tracking is a template's wish, never the account's: it rewrites links.
_NO_TRACKING = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
}


class SendGridProvider:
    """Sends each mail in a call of its own."""

    name = "sendgrid"
    capabilities = Capabilities()

    def __init__(
        self,
        *,
        url: str = _URL,
        key: str,
        sender: str,
        receipts: bool = False,
        timeout: float = DEFAULT_SECONDS,
        clock: Callable[[], float] = time,
    ) -> None:
        """`sender` is `Name <address>`. Raises SettingsError where it is none."""
        address = sender_from(sender).mailbox.address
        name = getaddresses([sender])[0][0]
        self.receipts = receipts
        self._from = {"email": address, **({"name": name} if name else {})}
        self._http = ProviderHTTP(
            url,
            headers={"Authorization": f"Bearer {key}", "Accept": "application/json"},
            timeout=timeout,
            clock=clock,
        )

    @classmethod
    def from_environment(cls, env: Environment) -> "SendGridProvider":
        """SENDGRID_API_KEY and EMAIL_FROM; and what has a default. Raises SettingsError."""
        url = env.url("SENDGRID_URL", schemes=("https", "http"), example=_URL, default=_URL)
        return cls(
            url=require_tls("SENDGRID_URL", url),
            key=env.text("SENDGRID_API_KEY", example="SG.an-api-key-that-may-send-mail"),
            sender=env.text("EMAIL_FROM", example="Carillon <notifications@example.com>"),
            receipts=env.flag("SENDGRID_RECEIPTS", False),
            timeout=env.number("SENDGRID_TIMEOUT_SECONDS", DEFAULT_SECONDS, least=0.1, most=60),
        )

    def send(self, job: DeliveryJob) -> Acceptance:
        """Raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        answer = self._http.post_json("/v3/mail/send", {"from": self._from, **_mail(job)})
        message_id = answer.headers.get("X-Message-Id", "")
        # 200 is of the sandbox mode: valid, but not queued.
        if answer.status == 202 and message_id:
            return Acceptance(message_id)
        raise failure_of(answer, _field(answer), permanent=PERMANENT, temporary=_TEMPORARY)

    def verify(self) -> str:
        """Asks what the key may do. Raises TemporaryFailure or PermanentFailure.

        https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions/
        retrieve-a-list-of-scopes-for-which-this-user-has-access
        """
        with account_check():
            answer = self._http.get("/v3/scopes")
            scopes = answer.fields.get("scopes")
            if answer.status != 200 or not isinstance(scopes, list):
                raise failure_of(answer, permanent={}, temporary=_TEMPORARY)
        if _SEND_SCOPE not in scopes:
            raise refused(f"The key may not send mail: it lacks the scope {_SEND_SCOPE}.")
        return "SendGrid accepts the key, and it may send mail. The sender was not tried."

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()


def _mail(job: DeliveryJob) -> dict[str, Any]:
    """The body, without `from`. Raises PermanentFailure."""
    content = job.content
    if not isinstance(content, EmailContent):
        raise PermanentFailure("The content is not an email.", reason=Reason.INVALID_CONTENT)
    for what, text in (("subject", content.subject), ("name", job.recipient_name)):
        # SendGrid would make headers of them.
        if any(character in text for character in "\r\n\0"):
            raise PermanentFailure(
                f"The {what} holds a line break or a NUL.", reason=Reason.INVALID_CONTENT
            )
    # Plain text first, as SendGrid demands; an empty part is refused.
    parts = (("text/plain", content.body), ("text/html", content.html))
    return {
        "personalizations": [{"to": _recipients(job)}],
        "subject": content.subject,
        "content": [{"type": kind, "value": value} for kind, value in parts if value],
        "headers": {
            # Keeps vacation notices from answering (RFC 3834, 5).
            "Auto-Submitted": "auto-generated",
            "X-Notification-ID": job.notification_id,
            "X-Correlation-ID": job.correlation_id,
            **client_headers(content),
            **unsubscribe_headers(content),
        },
        **_extras(content),
        # Comes back with each event.
        "custom_args": {"notification_id": job.notification_id},
        "tracking_settings": _NO_TRACKING,
    }


def _extras(content: EmailContent) -> dict[str, Any]:
    """Where to answer, and the files. Raises what `files_of` raises."""
    extras: dict[str, Any] = {}
    if content.reply_to:
        extras["reply_to"] = {"email": reply_to(content)}
    files = files_of(content)
    if files:
        extras["attachments"] = [_attachment(file) for file in files]
    return extras


def _attachment(file: File) -> dict[str, str]:
    shown = {"disposition": "inline", "content_id": file.content_id} if file.content_id else {}
    return {
        "content": binascii.b2a_base64(file.data, newline=False).decode("ascii"),
        "type": file.content_type,
        "filename": file.filename,
        "disposition": "attachment",
        **shown,
    }


def _recipients(job: DeliveryJob) -> list[dict[str, str]]:
    """Each address once: SendGrid refuses a mail that names one twice."""
    name = {"name": job.recipient_name.strip()} if job.recipient_name.strip() else {}
    addresses = dict.fromkeys(_mailbox(address) for address in job.addresses)
    return [{"email": address, **name} for address in addresses]


def _mailbox(address: Address) -> str:
    try:
        return parse_mailbox(address.value).address
    except InvalidMailbox as error:
        raise PermanentFailure(
            f"The recipient's address cannot be used: {error}.", reason=Reason.INVALID_ADDRESS
        ) from error


def _field(answer: Answer) -> str:
    """What a 400 is about: `personalizations.0.to.0.email` is about `to`."""
    errors = answer.fields.get("errors")
    if answer.status != 400 or not isinstance(errors, list) or not errors:
        return ""
    first = errors[0]
    field = first.get("field") if isinstance(first, dict) else None
    parts = field.split(".") if isinstance(field, str) else [""]
    return "to" if "to" in parts else parts[0]
