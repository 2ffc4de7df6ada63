"""SMTP: the provider that every mail server is."""

import itertools
import ssl
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import getaddresses
from urllib.parse import parse_qs, unquote, urlsplit

import structlog

from carillon.contracts.messages import DeliveryJob
from carillon.contracts.provider import Acceptance, Capabilities
from carillon.errors import DeliveryFailure, PermanentFailure
from carillon.settings import Environment, SettingsError
from email_worker.mailbox import InvalidMailbox
from email_worker.mime import Mail, Sender, build_mail, make_sender
from email_worker.smtp.losses import ConnectionLost, hung_up
from email_worker.smtp.opening import Server
from email_worker.smtp.pool import NAME, Lifetime, SessionPool
from email_worker.smtp.session import Session

log = structlog.get_logger(__name__)

_EXAMPLE_URL = "smtp://user:password@mail.example.com:587?starttls=true"
_EXAMPLE_FROM = "Carillon <notifications@example.com>"
_PORTS = {"plain": 25, "starttls": 587, "tls": 465}


class SMTPProvider:
    """Sends over pooled, persistent connections.

    A mail is sent again, once, only where the connection turned out to be closed before any of the
    mail was sent. After the final dot a lost answer is OutcomeUnknown: repeated by the template's
    policy, never here.
    """

    name = NAME
    receipts = False
    capabilities = Capabilities()

    def __init__(
        self,
        server: Server,
        sender: Sender,
        *,
        lifetime: Lifetime | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        tls = None if server.security == "plain" else ssl.create_default_context()
        self._pool = SessionPool(server, lifetime or Lifetime(), tls)
        self._sender = sender
        self._now = now
        self._logs_in = bool(server.username)

    @classmethod
    def from_environment(cls, env: Environment) -> "SMTPProvider":
        """SMTP_URL, EMAIL_FROM, SMTP_TIMEOUT_SECONDS and SMTP_MAILS_PER_CONNECTION."""
        server = server_from(
            env.url(
                "SMTP_URL",
                schemes=("smtp", "smtps"),
                example=_EXAMPLE_URL,
                default="smtp://127.0.0.1:1025",
            ),
            timeout=env.number("SMTP_TIMEOUT_SECONDS", 10.0, least=0.1, most=60),
            public_only=env.flag("SMTP_PUBLIC_ONLY", False),
        )
        sender = sender_from(env.text("EMAIL_FROM", "Carillon <notifications@carillon.test>"))
        mails = env.integer("SMTP_MAILS_PER_CONNECTION", 500, least=1)
        if server.username and server.security == "plain":
            log.warning("the mail server's password travels unencrypted: use ?starttls=true")
        return cls(server, sender, lifetime=Lifetime(mails=mails))

    def send(self, job: DeliveryJob) -> Acceptance:
        """Raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        [answer] = self.send_in_turn((job,))
        if isinstance(answer, DeliveryFailure):
            raise answer
        return answer

    def send_in_turn(self, jobs: Sequence[DeliveryJob]) -> Iterator[Acceptance | DeliveryFailure]:
        """What became of each job, in their order, over as few connections as will do."""
        waiting = deque(self._built(job) for job in jobs)
        again = False
        while waiting:
            if isinstance(waiting[0], DeliveryFailure):
                yield waiting.popleft()  # type: ignore[misc]  # it was looked at just now
                continue
            session = None if again else self._pool.take()
            untried = session is None
            if session is None:
                try:
                    session = self._pool.open(again=again)
                except DeliveryFailure as failure:
                    waiting.popleft()
                    yield failure
                    continue
            try:
                for failed, mail in self._sent_over(session, waiting):
                    untried = False
                    yield failed or Acceptance(mail.message_id)
            except ConnectionLost as error:
                again = True
                if untried:
                    waiting.popleft()
                    yield hung_up(error)
            finally:
                self._pool.give_back(session)

    def verify(self) -> str:
        """Connects, encrypts, logs in, says NOOP. Raises TemporaryFailure or PermanentFailure."""
        session = self._pool.open()
        try:
            session.check()
        finally:
            session.close()
        if not self._logs_in:
            return "The mail server lets us in without a login. The sender was not tried."
        return "The mail server accepts the login. The sender was not tried."

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _built(self, job: DeliveryJob) -> Mail | DeliveryFailure:
        try:
            return build_mail(job, self._sender, self._now())
        except DeliveryFailure as failure:
            return failure

    def _sent_over(
        self, session: Session, waiting: deque[Mail | DeliveryFailure]
    ) -> Iterator[tuple[DeliveryFailure | None, Mail]]:
        """Take from `waiting` what could be sent, up to what has a failure already."""
        mails: list[Mail] = []
        for mail in itertools.islice(waiting, self._pool.room_of(session)):
            if isinstance(mail, DeliveryFailure):
                break
            mails.append(mail)
        for mail, failed in zip(mails, session.send_in_turn(mails), strict=False):
            waiting.popleft()
            yield failed, mail


def server_from(url: str, *, timeout: float, public_only: bool = False) -> Server:
    """From `smtp://user:password@host:port?starttls=true` or `smtps://…`. Raises SettingsError."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    starttls = query.pop("starttls", ["false"])[-1].lower()
    if query or starttls not in {"true", "false"} or parts.path not in {"", "/"}:
        raise SettingsError("SMTP_URL", "knows ?starttls=true alone", _EXAMPLE_URL)
    security = "tls" if parts.scheme == "smtps" else "starttls" if starttls == "true" else "plain"
    return Server(
        host=parts.hostname or "",
        port=parts.port or _PORTS[security],
        security=security,
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        timeout=timeout,
        public_only=public_only,
    )


def sender_from(text: str) -> Sender:
    """From `Name <address>`. Raises SettingsError."""
    found = getaddresses([text])
    if len(found) != 1 or not text.isprintable():
        raise SettingsError("EMAIL_FROM", "is not one sender", _EXAMPLE_FROM)
    try:
        return make_sender(*found[0])
    except (InvalidMailbox, PermanentFailure) as error:
        raise SettingsError("EMAIL_FROM", f"is no sender: {error}", _EXAMPLE_FROM) from error
