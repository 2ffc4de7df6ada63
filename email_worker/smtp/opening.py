"""Opens a connection to a mail server: EHLO, STARTTLS and the login, by smtplib."""

import smtplib
import socket
import ssl
from dataclasses import dataclass

from carillon.errors import DeliveryFailure, PermanentFailure, Reason, TemporaryFailure
from email_worker.smtp.losses import lost_reason
from email_worker.smtp.public import PublicSMTP, PublicSMTPOverTLS
from email_worker.smtp.replies import Reply, Stage, failure_of


@dataclass(frozen=True, slots=True)
class Server:
    """Where and how to connect; `security` is "plain", "starttls" or "tls". Seconds.

    `public_only` refuses addresses that are not the Internet's.
    """

    host: str
    port: int
    security: str = "plain"
    username: str = ""
    password: str = ""
    timeout: float = 10.0
    public_only: bool = False


def open_connection(server: Server, tls: ssl.SSLContext | None) -> smtplib.SMTP:
    """Ready for a mail. Raises TemporaryFailure or PermanentFailure."""
    try:
        return _open(server, tls)
    except (OSError, smtplib.SMTPException) as error:
        raise _failure_of(error) from error


def _open(server: Server, tls: ssl.SSLContext | None) -> smtplib.SMTP:
    # Named here because smtplib would ask the DNS for our name at each connection.
    name = socket.gethostname() or "localhost"
    smtp: smtplib.SMTP
    if server.security == "tls":
        over_tls = PublicSMTPOverTLS if server.public_only else smtplib.SMTP_SSL
        smtp = over_tls(server.host, server.port, name, timeout=server.timeout, context=tls)
    else:
        plain = PublicSMTP if server.public_only else smtplib.SMTP
        smtp = plain(server.host, server.port, name, timeout=server.timeout)
    try:
        smtp.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            smtp.starttls(context=tls)
            smtp.ehlo_or_helo_if_needed()
        if server.username:
            smtp.login(server.username, server.password)
    except BaseException:
        smtp.close()
        raise
    if smtp.sock is not None:
        # Commands and mail travel in separate small packets: never wait to fill one.
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return smtp


def _failure_of(error: Exception) -> DeliveryFailure:
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return PermanentFailure(
            "The mail server offers neither the encryption nor the login that is configured.",
            reason=Reason.CONFIGURATION,
        )
    if isinstance(error, smtplib.SMTPResponseException):
        return failure_of(Reply(error.smtp_code, _text(error.smtp_error)), Stage.CONNECT)
    if isinstance(error, ssl.SSLCertVerificationError):
        return PermanentFailure(
            "The mail server's certificate is not valid for its name.",
            reason=Reason.CONFIGURATION,
        )
    return TemporaryFailure(
        "The mail server cannot be reached.",
        reason=lost_reason(error),
        code=type(error).__name__,
    )


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
