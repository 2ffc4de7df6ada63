"""A real SMTP server that keeps what it accepts, for tests to look into."""

import asyncio
import socket
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any

from aiosmtpd.controller import Controller


class SMTPSink:
    """Listens on a free loopback port; `answer` may be set to refuse ("451 try later")."""

    def __init__(self) -> None:
        self.answer = "250 OK"
        self._mails: list[EmailMessage] = []
        self._arrived = threading.Condition()
        self._controller = _Controller(self, hostname="127.0.0.1", port=0, ready_timeout=60)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._controller.port)

    def mails_to(self, address: str) -> list[EmailMessage]:
        """What was accepted for `address` so far."""
        with self._arrived:
            return [mail for mail in self._mails if address in str(mail["To"])]

    def wait_for(self, address: str, count: int = 1, timeout: float = 60.0) -> list[EmailMessage]:
        """The mails to `address`, as soon as there are `count`. Raises TimeoutError."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.mails_to(address)) >= count, timeout):
                raise TimeoutError(f"{len(self.mails_to(address))} of {count} mails came")
            return self.mails_to(address)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """aiosmtpd's hook for a whole message."""
        if self.answer.startswith("2"):
            mail = message_from_bytes(envelope.content, policy=policy.default)
            with self._arrived:
                self._mails.append(mail)
                self._arrived.notify_all()
        return self.answer

    def __enter__(self) -> "SMTPSink":
        self._controller.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._controller.stop()


class _Controller(Controller):
    """aiosmtpd's, which checks that it is up by connecting to the port that it was given: 0."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        # Its own gives up after a second, and is then greeted later.
        with socket.create_connection(("127.0.0.1", self.port), self.ready_timeout) as caller:
            caller.recv(1024)
