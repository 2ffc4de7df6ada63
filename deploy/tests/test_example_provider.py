"""The provider that docs/adding-a-provider.md shows keeps the contract that it explains."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread, current_thread
from types import ModuleType

import msgspec
import pytest

from carillon.contracts.provider import OutcomeUnknown, Provider
from carillon.errors import PermanentFailure, Reason, TemporaryFailure
from carillon.testing.providers import Case, ProviderContract, Rig, delivery_job
from carillon.testing.verifying import VerifyContract, refused, trouble

PAGE = Path(__file__).resolve().parents[2] / "docs/adding-a-provider.md"
TOKEN = "canary-token"


def load_example() -> ModuleType:
    """The first Python block of the page."""
    source = re.findall(r"```python\n(.+?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    module = ModuleType("example")
    exec(compile(source, str(PAGE), "exec"), module.__dict__)  # noqa: S102
    return module


EXAMPLE = load_example()


class ExampleServer(ThreadingHTTPServer):
    """Answers as it is told to; `status` None hangs up after the request was read."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ExampleHandler)
        self.status: int | None = 202
        self.headers: dict[str, str] = {}
        self.body = b""
        self.bodies: list[bytes] = []
        self.threads: list[Thread] = []

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class ExampleHandler(BaseHTTPRequestHandler):
    """One connection, kept."""

    protocol_version = "HTTP/1.1"
    server: ExampleServer

    def setup(self) -> None:
        super().setup()
        self.server.threads.append(current_thread())

    def do_POST(self) -> None:
        request = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.status
        if status is None:
            self.close_connection = True
            return
        body = self.server.body
        if status == 202:
            self.server.bodies.append(request)
            body = msgspec.json.encode({"id": f"m{len(self.server.bodies)}"})
        self.send_response(status)
        for name, value in {**self.server.headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        status = self.server.status
        if self.path != "/account" or status is None:
            self.close_connection = True
            return
        self.send_response(200 if status == 202 else status)
        for name, value in {**self.server.headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_args: object) -> None: ...


class ExampleRig(Rig):
    """The example and its double."""

    channel = "sms"
    secrets = (TOKEN,)

    def __init__(self, server: ExampleServer) -> None:
        self.server = server
        self.provider: Provider = EXAMPLE.ExampleProvider(url=server.url, token=TOKEN)

    def accept(self) -> None:
        self.server.status, self.server.headers = 202, {}

    @property
    def accepted(self) -> int:
        return len(self.server.bodies)

    @property
    def connections(self) -> int:
        # A connection is gone when its thread is.
        return sum(thread.is_alive() for thread in self.server.threads)


Arrangement = Callable[[ExampleRig], None]


def answers(
    status: int | None, headers: dict[str, str] | None = None, body: bytes = b""
) -> Arrangement:
    def arrange(rig: ExampleRig) -> None:
        rig.server.status, rig.server.headers, rig.server.body = status, headers or {}, body

    return arrange


def temporary(name: str, arrange: Arrangement, reason: Reason, wait: float | None = None) -> Case:
    return Case(name, arrange, TemporaryFailure, reason, retry_after=wait)


def permanent(name: str, arrange: Arrangement, reason: Reason, code: str) -> Case:
    return Case(name, arrange, PermanentFailure, reason, code=code)


CASES = (
    temporary("slow down", answers(429, {"Retry-After": "7"}), Reason.RATE_LIMITED, 7.0),
    temporary("slow down somehow", answers(429, {"Retry-After": "soon"}), Reason.RATE_LIMITED),
    temporary("in trouble", answers(503), Reason.PROVIDER_UNAVAILABLE),
    permanent("wrong token", answers(401), Reason.CONFIGURATION, "401"),
    permanent(
        "opted out", answers(422, body=b'{"error":"opted_out"}'), Reason.UNSUBSCRIBED, "opted_out"
    ),
    permanent("no JSON", answers(422, body=b"<html>"), Reason.OTHER, "422"),
    Case("answer lost", answers(None), OutcomeUnknown, Reason.OUTCOME_UNKNOWN),
)


class TestExampleContract(ProviderContract):
    """As the page asks for."""

    cases = CASES

    @pytest.fixture
    def rig(self) -> Iterator[ExampleRig]:
        with serving(ExampleServer()) as server:
            rig = ExampleRig(server)
            yield rig
            rig.provider.close()


class TestExampleVerifies(VerifyContract):
    """As the page asks for."""

    checks = (
        refused("wrong token", answers(401), "401"),
        refused("redirects", answers(302, {"Location": "/"}), "302"),
        trouble("in trouble", answers(503), code="503"),
        trouble("slow down", answers(429, {"Retry-After": "7"}), Reason.RATE_LIMITED, "429"),
        trouble("answer lost", answers(None)),
    )

    @pytest.fixture
    def rig(self) -> Iterator[ExampleRig]:
        with serving(ExampleServer()) as server:
            rig = ExampleRig(server)
            yield rig
            rig.provider.close()


def test_nothing_was_sent_where_there_was_no_connection() -> None:
    with ExampleServer() as server:
        # Bound to its port, but closed before anybody connects.
        server.server_close()
        with pytest.raises(TemporaryFailure):
            EXAMPLE.ExampleProvider(url=server.url, token=TOKEN).send(delivery_job("sms"))


def test_the_body_is_what_the_provider_documents() -> None:
    with serving(ExampleServer()) as server:
        job = delivery_job("sms")
        assert ExampleRig(server).provider.send(job).provider_message_id == "m1"
    (body,) = server.bodies
    assert msgspec.json.decode(body) == {
        "to": job.addresses[0].value,
        "text": job.content.body,
        "ref": job.message_id,
    }


@contextmanager
def serving(server: ExampleServer) -> Iterator[ExampleServer]:
    """Serve until the end of the block."""
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
