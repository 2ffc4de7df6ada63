"""The email services that django-anymail knows: Postmark, Mailgun, Brevo, Resend and others.

Anymail's backends are Django's, which is the one place where a worker loads Django: when one of
these is named in EMAIL_PROVIDERS, and never before (docs/decisions/0011-anymail-in-a-worker.md).
https://anymail.dev/
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.mime.base import MIMEBase
from email.utils import formataddr, getaddresses
from functools import partial
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from carillon.contracts.messages import DeliveryJob, EmailContent
from carillon.contracts.provider import Acceptance, Capabilities, OutcomeUnknown
from carillon.errors import DeliveryFailure, PermanentFailure, Reason
from carillon.settings import Environment
from carillon.worker.providers.http import (
    DEFAULT_SECONDS,
    POOL_SIZE,
    Answer,
    failure_of,
    loss_of,
    require_tls,
    retry_after,
)
from email_worker import anymail_checks
from email_worker.attachments import File, files_of
from email_worker.mailbox import InvalidMailbox, parse_mailbox
from email_worker.mime import client_headers, reply_to, unsubscribe_headers
from email_worker.providers.smtp import sender_from


@dataclass(frozen=True, slots=True)
class Service:
    """One of Anymail's backends: its module's name, and the settings that it demands and takes."""

    name: str
    needs: tuple[str, ...]
    takes: tuple[str, ...] = ()


SERVICES: Mapping[str, Service] = {
    service.name: service
    for service in (
        Service("brevo", ("api_key",)),
        Service("mailgun", ("api_key",), ("sender_domain",)),
        Service("mailjet", ("api_key", "secret_key")),
        Service("mandrill", ("api_key",)),
        Service("postmark", ("server_token",), ("message_stream",)),
        Service("resend", ("api_key",)),
        Service("sparkpost", ("api_key",), ("subaccount",)),
    )
}


@dataclass(frozen=True, slots=True)
class Account:
    """As whom, and where: `credentials` by the names that Anymail gives them."""

    credentials: Mapping[str, str] = field(repr=False)
    sender: str = ""
    url: str = ""
    timeout: float = DEFAULT_SECONDS


class AnymailProvider:
    """Sends each mail in a call of its own."""

    capabilities = Capabilities()

    def __init__(
        self,
        service: Service,
        account: Account,
        *,
        receipts: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raises SettingsError where the sender is none."""
        self.name = service.name
        self.receipts = receipts
        self._sender = _checked_sender(account.sender)
        self._clock = clock
        self._account = account
        self._backend = _backend(service, account)

    @classmethod
    def from_environment(cls, service: Service, env: Environment) -> "AnymailProvider":
        """<SERVICE>_<CREDENTIAL>, EMAIL_FROM, and what has a default. Raises SettingsError."""
        prefix = service.name.upper()
        names = {name: f"{prefix}_{name.upper()}" for name in (*service.needs, *service.takes)}
        credentials = {name: env.text(names[name], example="…") for name in service.needs}
        for name in service.takes:
            given = env.text(names[name], "")
            if given:
                credentials[name] = given
        url_name = f"{prefix}_URL"
        url = env.text(url_name, "")
        if url:
            url = env.url(url_name, schemes=("https", "http"), example="https://api.example.com")
            require_tls(url_name, url)
        account = Account(
            credentials,
            sender=env.text("EMAIL_FROM", example="Carillon <notifications@example.com>"),
            url=url,
            timeout=env.number(f"{prefix}_TIMEOUT_SECONDS", DEFAULT_SECONDS, least=0.1, most=60),
        )
        return cls(service, account, receipts=env.flag(f"{prefix}_RECEIPTS", False))

    def send(self, job: DeliveryJob) -> Acceptance:
        """Raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        message = _message(job, self._sender)
        try:
            self._backend.send_messages([message])
        except Exception as error:  # noqa: BLE001  a defect is raised again
            raise self._failure(error, message) from None
        message_id = message.anymail_status.message_id
        if not isinstance(message_id, str) or not message_id:
            raise OutcomeUnknown("The provider's answer cannot be understood.")
        return Acceptance(message_id)

    def verify(self) -> str:
        """Raises TemporaryFailure, PermanentFailure or CannotVerify."""
        # Mailgun sends for the domain of the sender where none is given.
        domain = sender_from(self._account.sender).mailbox.domain
        credentials = {"sender_domain": domain, **self._account.credentials}
        return anymail_checks.verify(
            self.name, self._backend.api_url, credentials, self._account.timeout
        )

    def close(self) -> None:
        """Close the pooled connections."""
        self._backend.close()

    def _failure(self, error: Exception, message: Any) -> DeliveryFailure:
        """What an exception of Anymail means. Raises it again where it is a defect."""
        from anymail import exceptions

        if isinstance(error, exceptions.AnymailRecipientsRefused):
            refused = message.anymail_status.status == {"invalid"}
            reason = Reason.INVALID_ADDRESS if refused else Reason.BLOCKED
            return PermanentFailure("The provider refuses the address.", reason=reason)
        if isinstance(error, exceptions.AnymailInvalidAddress):
            return PermanentFailure(
                "The recipient's address cannot be used.", reason=Reason.INVALID_ADDRESS
            )
        if isinstance(
            error,
            exceptions.AnymailUnsupportedFeature
            | exceptions.AnymailSerializationError
            | UnicodeError,
        ):
            return PermanentFailure(
                "The provider's API has no such content.", reason=Reason.INVALID_CONTENT
            )
        if not isinstance(error, exceptions.AnymailAPIError):
            raise error
        response = error.response
        if isinstance(response, requests.Response):
            wait = retry_after(response.headers, self._clock())
            answer = Answer(response.status_code, response.headers, retry_after=wait)
            return failure_of(answer, permanent={}, temporary={})
        if isinstance(error, requests.RequestException):
            return loss_of(error)
        return OutcomeUnknown("The provider's answer cannot be understood.")


def factories() -> dict[str, Callable[[Environment], AnymailProvider]]:
    """One for each service."""
    return {
        service.name: partial(AnymailProvider.from_environment, service)
        for service in SERVICES.values()
    }


def _checked_sender(text: str) -> str:
    sender_from(text)
    return formataddr(getaddresses([text])[0])


def _backend(service: Service, account: Account) -> Any:
    """Anymail's own, with its session open, for all threads."""
    from django.conf import settings
    from django.utils.module_loading import import_string

    if not settings.configured:
        # Nothing of Django is used but the shape of a mail.
        settings.configure(USE_TZ=True, ANYMAIL={}, LOGGING_CONFIG=None)
    # It would write down requests with all that is in them.
    logging.getLogger("anymail").setLevel(logging.WARNING)
    url = {"api_url": account.url} if account.url else {}
    backend = import_string(f"anymail.backends.{service.name}.EmailBackend")(
        **account.credentials,
        **url,
        timeout=(min(3.0, account.timeout), account.timeout),
    )
    backend.open()
    # Our credentials go nowhere else.
    backend.session.get_redirect_target = lambda _response: None
    # The environment's proxies are for people.
    backend.session.trust_env = False
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=POOL_SIZE, max_retries=0)
    for scheme in ("https://", "http://"):
        backend.session.mount(scheme, adapter)
    return backend


def _message(job: DeliveryJob, sender: str) -> Any:
    """Raises PermanentFailure, and what `files_of` raises."""
    from anymail.message import AnymailMessage
    from django.core.mail import BadHeaderError

    content = job.content
    if not isinstance(content, EmailContent):
        raise PermanentFailure("The content is not an email.", reason=Reason.INVALID_CONTENT)
    if any(
        breaking in text for text in (content.subject, job.recipient_name) for breaking in "\r\n\0"
    ):
        raise PermanentFailure(
            "The subject or the name holds a line break or a NUL.", reason=Reason.INVALID_CONTENT
        )
    try:
        message = AnymailMessage(
            subject=content.subject,
            body=content.body,
            from_email=sender,
            to=_recipients(job),
            reply_to=[reply_to(content)] if content.reply_to else None,
            headers={
                "Auto-Submitted": "auto-generated",
                "X-Notification-ID": job.notification_id,
                "X-Correlation-ID": job.correlation_id,
                **client_headers(content),
                **unsubscribe_headers(content),
            },
            # Comes back with each event.
            metadata={"notification_id": job.notification_id},
        )
        if content.html:
            message.attach_alternative(content.html, "text/html")
        for file in files_of(content):
            message.attach(_part(file))
    except BadHeaderError:
        raise PermanentFailure(
            "A header holds a line break.", reason=Reason.INVALID_CONTENT
        ) from None
    return message


def _recipients(job: DeliveryJob) -> list[str]:
    try:
        addresses = [parse_mailbox(address.value).address for address in job.addresses]
    except InvalidMailbox as error:
        raise PermanentFailure(
            f"The recipient's address cannot be used: {error}.", reason=Reason.INVALID_ADDRESS
        ) from None
    return [formataddr((job.recipient_name.strip(), address)) for address in addresses]


def _part(file: File) -> MIMEBase:
    from email.encoders import encode_base64

    part = MIMEBase(*file.content_type.split("/", 1))
    part.set_payload(file.data)
    encode_base64(part)
    disposition = "inline" if file.content_id else "attachment"
    part.add_header("Content-Disposition", disposition, filename=file.filename)
    if file.content_id:
        part.add_header("Content-ID", f"<{file.content_id}>")
    return part
