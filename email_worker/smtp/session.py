"""One SMTP connection: opened, authenticated, and used for one mail after another.

`smtplib` opens it; the transaction is ours, because a server that offers PIPELINING (RFC 2920)
then takes a mail in two round trips instead of four, and one of several mails in one.

What a lost connection means depends on when it is lost. A mail is only accepted once the server
has seen the final dot (RFC 5321, 4.1.1.4): before all of it is handed to the kernel nothing was
accepted, after that nobody knows until the reply comes.
"""

import contextlib
import select
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator, Sequence

from carillon.contracts.provider import OutcomeUnknown
from carillon.errors import DeliveryFailure, PermanentFailure, Reason, TemporaryFailure
from email_worker.mime import Mail
from email_worker.smtp.losses import ConnectionLost, hung_up, loss_of, lost_reason
from email_worker.smtp.opening import Server, open_connection
from email_worker.smtp.replies import Reply, Stage, failure_of

DOT = b".\r\n"
RECEIVE = 16 * 1024  # octets at once
LONGEST_LINE = 8 * 1024  # octets of a reply's line; RFC 5321 allows 512
NO_REPLY = -1


class Session:
    """Used by one thread at a time. After an error `usable` tells whether it may be used again."""

    def __init__(self, server: Server, tls: ssl.SSLContext | None) -> None:
        """Connect, say EHLO, STARTTLS and log in. Raises TemporaryFailure or PermanentFailure."""
        self.opened_at = self.used_at = time.monotonic()
        self.mails = 0
        self.usable = True
        self._smtp = open_connection(server, tls)
        if self._smtp.sock is None:
            raise hung_up()
        self._socket: socket.socket = self._smtp.sock
        # smtplib reads replies through a file object, at more than what the rest of a mail costs.
        self._received = b""
        self._features = self._smtp.esmtp_features
        self._pipelining = "pipelining" in self._features
        size = self._features.get("size", "")
        self._size = int(size) if size.isdecimal() else 0

    @property
    def stale(self) -> bool:
        """True where the server has hung up, or said something unasked (421, most likely)."""
        if self._received:
            return True
        try:
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True

    def send_in_turn(self, mails: Sequence[Mail]) -> Iterator[DeliveryFailure | None]:
        """What became of each mail: a failure, or None where it was accepted.

        A mail to several recipients is accepted where one of them was.

        With PIPELINING the commands of a mail travel with the mail before (RFC 2920, 3.1), so that
        each takes one round trip. Ends early where the session is not `usable` any more: nothing
        of the mails without an answer was accepted. Raises ConnectionLost where that is so because
        the server closed the connection. Nobody may use the session again whose iterator was
        abandoned.
        """
        following = [*mails[1:], None]
        opening: list[bytes] = []
        for mail, after in zip(mails, following, strict=True):
            self.usable = False
            commands, opening = opening, []
            failure: DeliveryFailure | None = None
            try:
                self._open_transaction(mail, commands)
                if after is not None and self._pipelining and self._refused(after) is None:
                    opening = self._commands(after)
                self._transfer(mail, b"".join(opening))
            except DeliveryFailure as failed:
                failure = failed
            else:
                self.mails += 1
                self.used_at = time.monotonic()
                self.usable = True
            done = self.usable
            if opening:
                # What was begun with it is not done: the session is good for nobody else.
                self.usable = False
            yield failure
            if not done:
                return

    def check(self) -> None:
        """Have the server answer without a mail. Raises TemporaryFailure or PermanentFailure."""
        try:
            reply = self._exchange(b"NOOP\r\n")
        except ConnectionLost as error:
            raise hung_up(error) from error
        if not reply.positive:
            raise failure_of(reply, Stage.CONNECT)

    def close(self) -> None:
        """Say goodbye without waiting for the answer."""
        self.usable = False
        with contextlib.suppress(OSError):
            self._socket.sendall(b"QUIT\r\n")
        self._smtp.close()

    def _refused(self, mail: Mail) -> PermanentFailure | None:
        """Why the server will not take it, as far as it has told beforehand."""
        if mail.needs_smtputf8 and "smtputf8" not in self._features:
            return PermanentFailure(
                "The mail server takes no address with characters beyond ASCII (SMTPUTF8).",
                reason=Reason.INVALID_ADDRESS,
            )
        if 0 < self._size < len(mail.data):
            return PermanentFailure(
                f"The mail has {len(mail.data)} octets, the mail server takes {self._size}.",
                reason=Reason.PAYLOAD_TOO_LARGE,
            )
        return None

    def _open_transaction(self, mail: Mail, sent: list[bytes]) -> None:
        """MAIL, RCPT and DATA, up to the server's 354; `sent` are those that it has already."""
        if not sent and (refused := self._refused(mail)) is not None:
            self.usable = True
            raise refused
        commands = sent or self._commands(mail)
        if self._pipelining:
            if not sent:
                self._write(b"".join(commands))
            if self._all_positive(len(commands)):
                return
            replies = self._replies(len(commands))
        else:
            replies = self._in_turn(commands)
        failure = _refusal(replies, len(mail.recipients), mail)
        if failure is None:
            return
        if len(replies) == len(commands) and replies[-1].code == 354:
            # Pipelined, and the server wants data although it refused all: give it none (RFC 2920).
            with contextlib.suppress(ConnectionLost, TemporaryFailure):
                self._exchange(DOT)
        self._reset(replies)
        raise failure

    def _commands(self, mail: Mail) -> list[bytes]:
        parameters = f" SIZE={len(mail.data)}" if "size" in self._features else ""
        if mail.needs_smtputf8:
            parameters += " SMTPUTF8 BODY=8BITMIME"
        return [
            f"MAIL FROM:<{mail.sender.address}>{parameters}\r\n".encode(),
            *(f"RCPT TO:<{recipient.address}>\r\n".encode() for recipient in mail.recipients),
            b"DATA\r\n",
        ]

    def _write(self, octets: bytes) -> None:
        try:
            self._socket.sendall(octets)
        except OSError as error:
            raise loss_of(error) from error

    def _all_positive(self, count: int) -> bool:
        """Take the next `count` replies if they are the usual ones, each of one line, 354 last.

        Reading them one by one costs as much as all the rest of a mail.
        """
        try:
            while self._received.count(b"\n") < count:
                self._receive()
        except (OSError, smtplib.SMTPException) as error:
            raise loss_of(error) from error
        lines = self._received.split(b"\n", count)
        if not lines[count - 1].startswith(b"354 "):
            return False
        if not all(line[:1] == b"2" and line[3:4] == b" " for line in lines[: count - 1]):
            return False
        self._received = lines[count]
        return True

    def _replies(self, count: int) -> list[Reply]:
        try:
            return [self._reply() for _ in range(count)]
        except (OSError, smtplib.SMTPException) as error:
            raise loss_of(error) from error

    def _in_turn(self, commands: list[bytes]) -> list[Reply]:
        """One after the other; DATA only where the sender and a recipient were accepted."""
        replies: list[Reply] = []
        for command in commands:
            if command == b"DATA\r\n" and not any(reply.positive for reply in replies[1:]):
                break
            replies.append(self._exchange(command))
            if len(replies) == 1 and not replies[0].positive:
                break
        return replies

    def _transfer(self, mail: Mail, opening: bytes) -> None:
        """The mail itself, with the next one's commands, and the server's verdict."""
        data = mail.data.replace(b"\r\n.", b"\r\n..") if b"\r\n." in mail.data else mail.data
        self._hand_over(data + DOT, opening)
        try:
            reply = self._reply()
        except (OSError, smtplib.SMTPException) as error:
            raise OutcomeUnknown(
                "The mail server had the whole mail and gave no answer.",
                code=type(error).__name__,
            ) from error
        if not 200 <= reply.code < 600:
            raise OutcomeUnknown("The mail server's answer to the mail was not SMTP.")
        if not reply.positive:
            # The transaction is over, the session is not.
            self.usable = reply.code != 421
            raise failure_of(reply, Stage.DATA, hide=_addresses(mail))

    def _hand_over(self, mail: bytes, opening: bytes) -> None:
        """Raises TemporaryFailure where the connection broke before all of the mail was sent."""
        octets = memoryview(mail + opening)
        sent = 0
        try:
            while sent < len(octets):
                sent += self._socket.send(octets[sent:])
        except OSError as error:
            # Of a mail that was sent whole the reply tells, or its absence.
            if sent < len(mail):
                raise TemporaryFailure(
                    "The mail server went away before it had the whole mail.",
                    reason=lost_reason(error),
                    code=type(error).__name__,
                ) from error

    def _reset(self, replies: list[Reply]) -> None:
        """Leave the transaction; a session that cannot is not used again."""
        if any(reply.code == 421 or not 200 <= reply.code < 600 for reply in replies):
            return
        with contextlib.suppress(ConnectionLost, TemporaryFailure):
            self.usable = self._exchange(b"RSET\r\n").positive

    def _exchange(self, command: bytes) -> Reply:
        try:
            self._socket.sendall(command)
            return self._reply()
        except (OSError, smtplib.SMTPException) as error:
            raise loss_of(error) from error

    def _reply(self) -> Reply:
        """The next reply, of one line or several (RFC 5321, 4.2.1); of its texts, one a line."""
        texts: list[bytes] = []
        while True:
            line = self._line()
            texts.append(line[4:].strip(b" \t\r"))
            code = int(line[:3]) if line[:3].isdigit() else NO_REPLY
            if line[3:4] != b"-" or code == NO_REPLY:
                return Reply(code, b"\n".join(texts).decode("utf-8", "replace"))

    def _line(self) -> bytes:
        while (end := self._received.find(b"\n")) < 0:
            self._receive()
        line, self._received = self._received[:end], self._received[end + 1 :]
        return line

    def _receive(self) -> None:
        if len(self._received) > LONGEST_LINE:
            raise smtplib.SMTPResponseException(500, "Line too long.")
        octets = self._socket.recv(RECEIVE)
        if not octets:
            raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
        self._received += octets


def _refusal(replies: list[Reply], recipients: int, mail: Mail) -> DeliveryFailure | None:
    """The failure that the replies to MAIL, RCPT… and DATA add up to, or None."""
    hide = _addresses(mail)
    if not replies[0].positive:
        return failure_of(replies[0], Stage.SENDER, hide=hide)
    answers = replies[1 : 1 + recipients]
    if not any(answer.positive for answer in answers):
        # Where one of them may be accepted later, later is when to try.
        answer = next((each for each in answers if each.code < 500), answers[0])
        return failure_of(answer, Stage.RECIPIENT, hide=hide)
    if replies[-1].code != 354:
        return failure_of(replies[-1], Stage.DATA, hide=hide)
    return None


def _addresses(mail: Mail) -> tuple[str, ...]:
    return tuple(recipient.address for recipient in mail.recipients)
