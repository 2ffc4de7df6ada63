import io
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.local.child import Command, Layer
from deploy.local.console import Console
from deploy.local.errors import StackError
from deploy.local.health import answers
from deploy.local.paths import StackFolder
from deploy.local.platform import Platform
from deploy.local.ports import private_port
from deploy.local.processes import PROCESSES, PlatformProcess
from deploy.local.roster import Roster
from deploy.local.tests.marks import WAIT

# Answers 200 to everything, and counts in a file how often it was started.
SERVER = """
import http.server, os, pathlib, sys
folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
if folder:
    assert not list(pathlib.Path(folder).iterdir()), "metrics of an earlier process"
    pathlib.Path(folder, "gauge.db").touch()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health/live/" else 404)
        self.end_headers()
host, port = sys.argv[1].split(":")
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""
CRASH = "print('no such setting'); raise SystemExit(1)"


def process(name: str, program: str = SERVER, *, web: bool = False) -> PlatformProcess:
    # str.format would take the program's own braces for ours.
    assert "{" not in program
    arguments = ("-c", program, "{address}")
    return PlatformProcess(name, arguments, f"{name.upper()}_PORT", 9999, web=web)


@pytest.fixture
def make(tmp_path: Path, roster: Roster) -> Callable[..., Platform]:
    def platform(*processes: PlatformProcess) -> Platform:
        return Platform(
            StackFolder(tmp_path),
            roster=roster,
            settings={"LOG_LEVEL": "INFO"},
            ports={process.name: private_port() for process in processes},
            table={process.name: process for process in processes},
        )

    return platform


def test_every_process_is_waited_for_and_can_be_killed_and_started_again(
    make: Callable[..., Platform], roster: Roster
) -> None:
    platform = make(process("gateway", web=True), process("relay"))
    output = io.StringIO()
    platform.start(Console(output), timeout=WAIT)
    assert "gateway is up" in output.getvalue()
    assert "relay is up" in output.getvalue()
    url = platform.health()["gateway"]
    assert answers(url) == 200
    platform.kill("gateway")
    assert answers(url) == 0
    # Its counters of before would be added to those of now: the program insists that they went.
    platform.start_process("gateway", timeout=WAIT)
    assert answers(url) == 200
    assert answers(platform.url("gateway") + "/other") == 404
    platform.stop("relay")
    assert [child.name for child in roster.children()] == ["gateway"]


def test_a_process_that_ends_while_it_starts_is_named_with_its_last_words(
    make: Callable[..., Platform],
) -> None:
    platform = make(process("gateway"), process("email_worker", CRASH))
    with pytest.raises(StackError, match=r"(?s)email_worker ended \(exit code 1\).*no such sett"):
        platform.start(Console(io.StringIO()), timeout=WAIT)


def test_what_ends_beside_the_platform_while_it_starts_is_nothing_to_it(
    make: Callable[..., Platform], roster: Roster, tmp_path: Path
) -> None:
    beside = roster.start(Command(name="beside", argv=("true",), folder=tmp_path))
    assert beside.wait(WAIT) == 0
    make(process("gateway")).start(Console(io.StringIO()), timeout=WAIT)


def test_a_server_that_ends_while_the_platform_starts_is_named(
    make: Callable[..., Platform], roster: Roster, tmp_path: Path
) -> None:
    server = Command(name="redis", argv=("false",), folder=tmp_path, layer=Layer.SERVER)
    roster.start(server).wait(WAIT)
    with pytest.raises(StackError, match=r"redis ended \(exit code 1\)"):
        make(process("gateway")).start(Console(io.StringIO()), timeout=WAIT)


def test_a_process_that_is_not_up_in_time_is_named(
    make: Callable[..., Platform], roster: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = process("events", "import time; print('still at it', flush=True); time.sleep(3600)")
    log = roster.logs / "events.log"

    def now() -> float:
        """The time is over when it has said something."""
        return 2.0 if log.exists() and log.read_text() else 0.0

    monkeypatch.setattr("deploy.local.health.time", SimpleNamespace(monotonic=now))
    with pytest.raises(StackError, match=r"(?s)Not up after 1 s: events.*still at it"):
        make(silent).start(Console(io.StringIO()), timeout=1.0)


def test_a_signal_is_told_from_an_exit_code(make: Callable[..., Platform], roster: Roster) -> None:
    platform = make(process("gateway"), process("suicide", "import os; os.kill(os.getpid(), 9)"))
    with pytest.raises(StackError, match=r"suicide ended \(signal 9\)"):
        platform.start(Console(io.StringIO()), timeout=WAIT)
    os.kill(roster.children()[0].pid, signal.SIGKILL)


def test_the_table_is_the_one_that_everybody_agreed_on() -> None:
    ports = {name: process.port for name, process in PROCESSES.items()}
    assert ports == {
        "gateway": 8000,
        "user_service": 8001,
        "template_service": 8002,
        "relay": 9101,
        "events": 9102,
        "email_worker": 9103,
        "sms_worker": 9104,
        "push_worker": 9105,
    }
    gateway = PROCESSES["gateway"].command(8003, {}, Path("/metrics"))
    assert gateway.argv[1:] == (
        *("-m", "gunicorn", "-c", "python:carillon.web.gunicorn"),
        *("--bind", "127.0.0.1:8003", "gateway.wsgi:application"),
    )
    assert gateway.environment["PROMETHEUS_MULTIPROC_DIR"] == "/metrics/gateway"
    relay = PROCESSES["relay"].command(9101, {}, Path("/metrics"))
    assert relay.argv[1:] == ("gateway/manage.py", "relay")
    assert "PROMETHEUS_MULTIPROC_DIR" not in relay.environment
    assert relay.environment["TMPDIR"] == "/metrics/relay"
    assert PROCESSES["gateway"].address(8003) == "http://127.0.0.1:8003"
    assert PROCESSES["relay"].address(9101) == "9101"
