"""The documentation: its links lead somewhere, and the provider that it shows works as it says."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from threading import Thread
from types import ModuleType

import msgspec
import pytest

from carillon.contracts.lanes import Lane
from carillon.contracts.messages import Address, DeliveryJob, DeliveryPolicy, Mode, TextContent
from carillon.contracts.provider import OutcomeUnknown, Provider
from carillon.errors import PermanentFailure, Reason, TemporaryFailure

ROOT = Path(__file__).resolve().parents[2]
NUMBER = "+447700900123"
TEXT = "a secret word"
JOB = DeliveryJob(
    notification_id="notif_1",
    attempt=1,
    organization_id="org_1",
    correlation_id="corr_1",
    channel="sms",
    lane=Lane.NORMAL,
    priority=5,
    mode=Mode.LIVE,
    delivery=DeliveryPolicy.AT_LEAST_ONCE,
    addresses=(Address(NUMBER),),
    content=TextContent(TEXT),
    accepted_at=datetime.now(UTC),
    queued_at=datetime.now(UTC),
)


def pages() -> list[Path]:
    """Every Markdown page that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if "://" in path or path.startswith("mailto:"):
            continue
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, target


def slug(heading: str) -> str:
    """As GitHub names a heading's anchor."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_metrics_and_make_targets_that_are_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    source = "\n".join(path.read_text(encoding="utf-8") for path in product_files())
    for metric in set(re.findall(r"\bcarillon_[a-z_]+\b", text)):
        assert f'"{metric}"' in source, metric
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"(?:`|\$ )make ([a-z-]+)", text)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def product_files() -> list[Path]:
    """Our own Python, without the tests."""
    folders = ("carillon", "gateway", "user_service", "template_service")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return [path for path in found if "tests" not in path.parts]


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs/decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    assert {page.name for page in folder.glob("[0-9]*.md")} == set(
        re.findall(r"\((\d{4}-[^)]+)\)", listed)
    )


@pytest.fixture(scope="module")
def example() -> ModuleType:
    """The module that docs/adding-a-provider.md shows."""
    page = (ROOT / "docs/adding-a-provider.md").read_text(encoding="utf-8")
    (source,) = re.findall(r"```python\n(.+?)```", page, re.DOTALL)
    module = ModuleType("example")
    exec(compile(source, "docs/adding-a-provider.md", "exec"), module.__dict__)  # noqa: S102
    return module


def provider(example: ModuleType, port: int) -> Provider:
    made: Provider = example.ExampleProvider(url=f"http://127.0.0.1:{port}", token="a-token")
    return made


def test_the_example_hands_the_message_over_once(example: ModuleType) -> None:
    with answering(202, b'{"id": "m1"}') as (port, requests):
        sender = provider(example, port)
        assert sender.send(JOB).provider_message_id == "m1"
        sender.close()
    assert [msgspec.json.decode(body) for body in requests] == [
        {"to": NUMBER, "text": TEXT, "ref": "notif_1:1"}
    ]


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "reason", "retry_after"),
    [
        (429, b"", {"Retry-After": "7"}, TemporaryFailure, Reason.RATE_LIMITED, 7.0),
        (429, b"", {}, TemporaryFailure, Reason.RATE_LIMITED, None),
        (503, b"", {}, TemporaryFailure, Reason.PROVIDER_UNAVAILABLE, None),
        (401, b"", {}, PermanentFailure, Reason.CONFIGURATION, None),
        (422, b'{"error":"unknown_number"}', {}, PermanentFailure, Reason.INVALID_ADDRESS, None),
        (422, b"<html>", {}, PermanentFailure, Reason.OTHER, None),
    ],
)
def test_the_example_tells_failures_apart(
    example: ModuleType,
    status: int,
    body: bytes,
    headers: dict[str, str],
    kind: type[TemporaryFailure | PermanentFailure],
    reason: Reason,
    retry_after: float | None,
) -> None:
    with answering(status, body, headers) as (port, _), pytest.raises(kind) as caught:
        provider(example, port).send(JOB)
    assert caught.value.reason is reason
    assert getattr(caught.value, "retry_after", None) == retry_after
    assert NUMBER not in caught.value.message
    assert TEXT not in caught.value.message


def test_the_example_does_not_guess_when_the_answer_is_lost(example: ModuleType) -> None:
    with hanging_up() as port, pytest.raises(OutcomeUnknown):
        provider(example, port).send(JOB)


def test_the_example_knows_that_nothing_was_sent_without_a_connection(
    example: ModuleType,
) -> None:
    with socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(TemporaryFailure):
            # Bound and not listening: connections are refused.
            provider(example, int(bound.getsockname()[1])).send(JOB)


@contextmanager
def answering(
    status: int, body: bytes, headers: dict[str, str] | None = None
) -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers every POST alike; its port, and the bodies that it got."""
    requests: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1], requests
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def hanging_up() -> Iterator[int]:
    """A server that reads a request and closes the connection without an answer."""
    with socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(10)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)

        thread = Thread(target=serve)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join()
