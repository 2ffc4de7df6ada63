"""A double of a provider's HTTP server: it speaks the real shapes, or fails as it is told."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import parse_qs

import msgspec
from requests.structures import CaseInsensitiveDict

from carillon.contracts.provider import OutcomeUnknown
from carillon.errors import PermanentFailure, Reason, TemporaryFailure
from carillon.testing.http_server import HTTPServer
from carillon.testing.patience import HASTE, PATIENCE, wait_at_most
from carillon.testing.providers import Case, Rig


@dataclass(frozen=True, slots=True)
class Request:
    """What the server was asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON. Raises msgspec.DecodeError."""
        return msgspec.json.decode(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The body as a form; of a field that is there twice, the last."""
        parsed = parse_qs(self.body.decode(), keep_blank_values=True, strict_parsing=True)
        return {name: values[-1] for name, values in parsed.items()}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `took` says that the server took the message."""

    status: int
    json: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    took: bool = False
    body: bytes | None = None

    @property
    def octets(self) -> bytes:
        """The body: as it is, or the JSON; empty where there is neither."""
        if self.body is not None:
            return self.body
        return b"" if self.json is None else msgspec.json.encode(self.json)


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes in place of an HTTP answer, then silence or the end of the connection."""

    octets: bytes = b""
    then_silence: bool = False


Answering = Callable[[Request], Reply]


class HTTPDouble:
    """Answers with `answering`, unless `says` holds what to answer instead."""

    def __init__(self, answering: Answering) -> None:
        self.answering = answering
        self.says: Reply | Raw | None = None
        self.requests: list[Request] = []
        self.took = 0
        self._serving: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        double = self

        class Handler(_Handler):
            server_side = double

        self._server = HTTPServer(Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    def __enter__(self) -> Self:
        self._server.begin()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _place: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._server.end()

    @property
    def open(self) -> int:
        """The connections that it holds open: each has a thread."""
        with self._lock:
            return sum(thread.is_alive() for thread in self._serving)

    def connected(self) -> None:
        """Remember the thread of a new connection."""
        with self._lock:
            self._serving.append(threading.current_thread())

    def answer(self, request: Request) -> Reply | Raw:
        """What to answer; counts what was taken."""
        reply = self.says or self.answering(request)
        with self._lock:
            self.requests.append(request)
            self.took += isinstance(reply, Reply) and reply.took
        return reply

    def be_silent(self) -> None:
        """Until it is stopped: a client that does not give up waits for ever."""
        self._stopping.wait()


class _Handler(BaseHTTPRequestHandler):
    server_side: HTTPDouble
    protocol_version = "HTTP/1.1"
    # The headers and the body are two writes: Nagle would hold the second for 40 ms.
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server_side.connected()

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        reply = self.server_side.answer(
            # However a proxy in between writes their names.
            Request(self.command, self.path, CaseInsensitiveDict(self.headers.items()), body)
        )
        try:
            self._send(reply)
        except OSError:
            self.close_connection = True

    do_GET = do_POST  # noqa: N815

    def _send(self, reply: Reply | Raw) -> None:
        if isinstance(reply, Raw):
            self.wfile.write(reply.octets)
            self.wfile.flush()
            if reply.then_silence:
                self.server_side.be_silent()
            self.close_connection = True
            return
        octets = reply.octets
        self.send_response(reply.status)
        if reply.body is None and reply.json is not None:
            self.send_header("Content-Type", "application/json")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, *_said: Any, **_named: Any) -> None:
        """Silent: a test reads what the provider logs."""


class Double(Protocol):
    """What a rig needs of a server, whatever version of HTTP it speaks."""

    says: Reply | Raw | None
    requests: list[Request]
    took: int

    @property
    def url(self) -> str: ...

    @property
    def open(self) -> int: ...


class HTTPRig(Rig):
    """A provider wired to a double; a subclass makes the provider."""

    def __init__(self, double: Double) -> None:
        self.double = double

    def answers(self, reply: Reply | Raw | None) -> None:
        """The server answers with `reply`, or by itself; where it is silent nobody waits long."""
        self.double.says = reply
        wait_at_most(self.provider, HASTE if is_silent(reply) else PATIENCE)

    def accept(self) -> None:
        self.answers(None)

    @property
    def accepted(self) -> int:
        return self.double.took

    @property
    def connections(self) -> int:
        return self.double.open


def says(reply: Reply | Raw) -> Callable[[HTTPRig], None]:
    """For a Case: the server answers with `reply` until it is told otherwise."""

    def arrange(rig: HTTPRig) -> None:
        rig.answers(reply)

    return arrange


def is_silent(reply: Reply | Raw | None) -> bool:
    """Whether the client waits in vain."""
    return isinstance(reply, Raw) and reply.then_silence


def permanent(name: str, reply: Reply, reason: Reason, code: str | None = None) -> Case:
    """A case whose failure is permanent."""
    return Case(name, says(reply), PermanentFailure, reason, code)


def temporary(
    name: str, reply: Reply, reason: Reason, code: str | None = None, wait: float | None = None
) -> Case:
    """A case whose failure is temporary; `wait` is the `retry_after` in seconds."""
    return Case(name, says(reply), TemporaryFailure, reason, code, wait)


def unknown(name: str, reply: Reply | Raw) -> Case:
    """A case that leaves open whether the message was taken."""
    return Case(name, says(reply), OutcomeUnknown, Reason.OUTCOME_UNKNOWN)


_HTML = b"<html><body>canary.recipient@canary-domain.example +447700900987</body></html>"
_HALF = b"Content-Type: application/json\r\nContent-Length: 400\r\n\r\n" + b'{"id": "half'


def transport_cases(success: int = 200) -> tuple[Case, ...]:
    """What any HTTP server may do; `success` is the status with which this one accepts."""
    head = f"HTTP/1.1 {success} Fine\r\n".encode()
    unavailable, limited = Reason.PROVIDER_UNAVAILABLE, Reason.RATE_LIMITED
    return (
        unknown("silent", Raw(then_silence=True)),
        unknown("hangs up", Raw()),
        unknown("no HTTP", Raw(b"\x00\xff what?\r\n\r\n")),
        unknown("half a status line", Raw(b"HTTP/1.1 2")),
        unknown("half an answer", Raw(head + _HALF)),
        unknown("half an answer, then silence", Raw(head + _HALF, then_silence=True)),
        unknown("gateway lost it", Reply(504, body=_HTML)),
        permanent("redirected", Reply(302, headers={"Location": "/"}), Reason.CONFIGURATION, "302"),
        permanent("nothing there", Reply(404, body=_HTML), Reason.CONFIGURATION, "404"),
        permanent("refused, body unreadable", Reply(400, body=b"\xff{"), Reason.OTHER, "400"),
        permanent("too large", Reply(413), Reason.PAYLOAD_TOO_LARGE, "413"),
        temporary("in trouble", Reply(500, body=_HTML), unavailable, "500"),
        temporary("bad gateway", Reply(502, body=_HTML), unavailable, "502"),
        temporary(
            "back in a minute", Reply(503, headers={"Retry-After": "60"}), unavailable, "503", 60.0
        ),
        temporary("slow down", Reply(429, headers={"Retry-After": "7"}), limited, "429", 7.0),
        temporary(
            "slow down, nonsense", Reply(429, headers={"Retry-After": "soon"}), limited, "429"
        ),
    )


def unreadable_successes(success: int = 200) -> tuple[Case, ...]:
    """For a provider whose acceptance is a JSON object with an id in it."""
    return (
        unknown("accepted in HTML", Reply(success, body=_HTML)),
        unknown("accepted with nothing", Reply(success)),
        unknown("accepted with a list", Reply(success, json=["canary.recipient"])),
        unknown("accepted without an id", Reply(success, json={"status": "ok"})),
        unknown("accepted with nested nonsense", Reply(success, body=b"[" * 50_000)),
    )
