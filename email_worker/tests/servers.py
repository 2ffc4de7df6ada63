"""SMTP servers to test against: aiosmtpd with a script, and one that breaks the protocol."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class ScriptedServer:
    """A real SMTP server (aiosmtpd): `replies` overrides its answers, by hook ("RCPT", …)."""

    def __init__(
        self,
        *,
        login: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        **options: Any,
    ) -> None:
        self.replies: dict[str, str] = {}
        self.mails: list[Envelope] = []
        self.greetings = 0
        self._guard = threading.Lock()
        if login is not None:
            options["authenticator"] = _checker(login)
            options["auth_require_tls"] = tls is not None
            options["auth_required"] = True
        if tls is not None:
            options["tls_context"] = tls
            options["require_starttls"] = True
        self._controller = _Controller(
            self, options, hostname="127.0.0.1", port=0, ready_timeout=60
        )

    @property
    def port(self) -> int:
        return int(self._controller.port)

    async def handle_MAIL(  # noqa: N802
        self, _server: Any, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "MAIL" in self.replies:
            return self.replies["MAIL"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "RCPT" in self.replies:
            return self.replies["RCPT"].format(address=address)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if "DATA" in self.replies:
            return self.replies["DATA"]
        with self._guard:
            self.mails.append(envelope)
        return "250 2.0.0 Ok: queued"

    def __enter__(self) -> "ScriptedServer":
        self._controller.start()
        # The controller has looked whether it is up.
        self.greetings = 0
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._controller.stop()


def _checker(login: tuple[str, str]) -> Callable[..., AuthResult]:
    def check(_s: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == login, handled=False)

    return check


class _CountingSMTP(SMTP):
    """Counts the connections it holds."""

    def __init__(self, owner: ScriptedServer, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._owner = owner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # STARTTLS makes the same connection a second time.
        if transport.get_extra_info("ssl_object") is None:
            self._owner.greetings += 1


class _Controller(Controller):
    """aiosmtpd's, which otherwise checks that it is up by connecting to port 0."""

    def __init__(self, owner: ScriptedServer, options: dict[str, Any], **where: Any) -> None:
        self._owner = owner
        self._options = options
        super().__init__(owner, **where)

    def factory(self) -> SMTP:
        return _CountingSMTP(self._owner, self.handler, **self._options)

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        # Its own gives up after a second, and is then greeted later.
        with socket.create_connection(("127.0.0.1", self.port), self.ready_timeout) as caller:
            caller.recv(1024)


class RawServer:
    """Speaks whatever bytes a test wants, one thread a connection; pipelining optional.

    `turns` overrides the answers by the command's first word, "DOT" being the end of the mail and
    "HELLO" the greeting. None hangs up; b"" says nothing.
    """

    def __init__(self, *, extensions: tuple[str, ...] = ()) -> None:
        self.turns: dict[str, bytes | None] = {}
        self.hang_up_after: set[str] = set()
        self.extensions = extensions
        self.mails: list[bytes] = []
        self.batches: list[bytes] = []
        self.greetings = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def open(self) -> int:
        return len(self._open)

    def hang_up(self) -> None:
        """Close every connection, as a server does with idle ones."""
        with self._guard:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> "RawServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        self._thread.join(60)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._guard:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self.greetings += 1
        try:
            with contextlib.suppress(OSError, ValueError, EOFError):
                self._talk(connection)
        finally:
            with self._guard:
                self._open.discard(connection)
            connection.close()

    def _talk(self, connection: socket.socket) -> None:
        buffer = b""
        self._say(connection, "HELLO", b"220 raw\r\n")
        in_data = False
        while True:
            end = b"\r\n.\r\n" if in_data else b"\r\n"
            while end not in buffer:
                chunk = connection.recv(65_536)
                if not chunk:
                    return
                self.batches.append(chunk)
                buffer += chunk
            line, _, buffer = buffer.partition(end)
            if in_data:
                in_data = False
                usual = b"250 2.0.0 queued\r\n"
                if (self.turns.get("DOT", usual) or b"").startswith(b"250 "):
                    self.mails.append(line[2:] + b"\r\n" if line else b"")
                self._say(connection, "DOT", usual)
                continue
            word = line.split(b" ")[0].decode().upper()
            said = self._say(connection, word, self._usual(word))
            in_data = word == "DATA" and said.startswith(b"354")
            if in_data:
                # So that a mail of nothing but the dot ends like any other.
                buffer = b"\r\n" + buffer

    def _usual(self, word: str) -> bytes:
        if word == "EHLO":
            lines = ["raw", *self.extensions]
            first = "".join(f"250-{line}\r\n" for line in lines[:-1])
            return f"{first}250 {lines[-1]}\r\n".encode()
        return {"DATA": b"354 go ahead\r\n", "QUIT": b"221 bye\r\n"}.get(word, b"250 ok\r\n")

    def _say(self, connection: socket.socket, word: str, usual: bytes) -> bytes:
        said = self.turns.get(word, usual)
        if said is None:
            raise EOFError
        connection.sendall(said)
        if word in self.hang_up_after:
            raise EOFError
        return said
