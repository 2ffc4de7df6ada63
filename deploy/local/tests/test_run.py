"""`make run` itself: from nothing to three delivered notifications, and to nothing again."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from deploy.local.identity import marked
from deploy.local.paths import ROOT, StackFolder
from deploy.local.platform import private_ports
from deploy.local.ports import private_port
from deploy.local.private_files import read_values
from deploy.local.servers.data_folder import remove_data_folder
from deploy.local.state import State, load, supervisor_of
from deploy.local.testing import suite_environment
from deploy.local.tests.mailbox_reader import shown_mails
from deploy.local.tests.marks import nothing_left
from deploy.local.tests.signals import heed_signals

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end, pytest.mark.timeout(900)]

START = 420.0  # seconds; a dozen here, and other suites may be busy beside this one
STOP = 180.0  # seconds
READY = "The logs follow"


class Stack:
    """A stack of this clone in a temporary folder, run by the real command."""

    def __init__(self, folder: Path) -> None:
        self.folder = StackFolder(folder / "local")
        # `make test` gives addresses of its servers: this stack is to start its own.
        # Ports of its own as well: several such tests may start at one time.
        ports = {f"{name.upper()}_PORT": str(port) for name, port in private_ports().items()}
        own = {"CARILLON_LOCAL": str(self.folder.path), "MAILBOX_PORT": str(private_port())}
        self.environment = suite_environment({**own, **ports})
        self.output = folder / "output"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> tuple[int, str]:
        """Run a command to its end: its exit code and what it said."""
        result = subprocess.run(
            [sys.executable, "-m", "deploy.local", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return result.returncode, result.stdout + result.stderr

    def start(self) -> str:
        """`run` until it follows the logs; what it said."""
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "deploy.local", "run"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=heed_signals,
            )
        self.wait_for(lambda: READY in self.said() or self.process.poll() is not None, START)
        assert READY in self.said(), self.said()
        return self.said()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process
        return self._process

    @property
    def state(self) -> State:
        state = load(self.folder.state)
        assert state
        return state

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    def pid_of(self, name: str) -> int:
        return next((child.pid for child in self.state.children if child.name == name), 0)

    def wait_for(self, condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def end(self) -> None:
        """Whatever the test came to, nothing is left."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(STOP)
        self.command("clean")


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path)
    yield stack
    stack.end()
    assert nothing_left(stack.folder.path)
    if stack.folder.data.is_dir():
        for folder in stack.folder.data.iterdir():
            remove_data_folder(folder)


def test_from_nothing_to_three_deliveries_and_to_nothing_again(stack: Stack) -> None:
    said = stack.start()
    assert len(re.findall(r"notif_\S+ +(?:email|sms|push) +delivered +\d", said)) == 3, said
    assert "\033" not in said  # not a terminal
    for private in (stack.folder.env, stack.folder.secrets, stack.folder.demo):
        assert private.stat().st_mode & 0o777 == 0o600

    _the_curl_works(stack, said)
    _commands_find_it(stack)
    _a_killed_worker_comes_back(stack)
    settings = read_values(stack.folder.env)

    stack.process.send_signal(signal.SIGINT)
    assert stack.process.wait(STOP) == 0, stack.said()
    assert nothing_left(stack.folder.path)
    assert supervisor_of(stack.folder) is None
    # Nobody can take the addresses of a dead stack for those of a living one.
    assert not stack.folder.env.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(settings["DATABASE_URL"], connect_timeout=2)
    code, text = stack.command("send")
    assert code == 1
    assert "make run" in text


def test_what_a_kill_9_left_is_ended_and_what_was_stored_is_still_there(stack: Stack) -> None:
    stack.start()
    organization = stack.folder.demo.read_text()
    stack.process.kill()
    stack.process.wait()
    assert len(marked(stack.folder.path)) > 10
    code, text = stack.command("status")
    assert code == 3, text
    said = stack.start()
    assert "An earlier run was killed" in said
    assert "from last time" in said
    assert stack.folder.demo.read_text() == organization
    stack.process.kill()
    stack.process.wait()
    code, text = stack.command("stop")
    assert code == 0, text
    assert "gateway" in text
    assert nothing_left(stack.folder.path)
    code, text = stack.command("clean")
    assert code == 0, text
    assert not stack.folder.path.exists()


def _the_curl_works(stack: Stack, said: str) -> None:
    key = said.split("X-API-Key: ")[1].split('"')[0]
    url = said.split("curl -X POST ")[1].split(" ")[0]
    body = said.split("-d '")[1].split("'\n")[0]
    answer = requests.post(
        url,
        data=body,
        headers={"X-API-Key": key, "Content-Type": "application/json"},
        timeout=60,
    )
    assert answer.status_code == 202, answer.text
    # The demo's own, and the pasted one.
    mails = shown_mails(stack.state.places["Mailbox"], at_least=2)
    assert len(mails) == 2
    for mail in mails:
        assert mail.subject == "Welcome to Carillon, Ada!"
        assert "Hi Ada," in mail.text
        assert "<h1>Hi Ada,</h1>" in mail.html


def _commands_find_it(stack: Stack) -> None:
    code, text = stack.command("run")
    assert code == 0
    assert "already" in text
    assert "make send" in text
    # One that is asked while the machine is busy may be late with its answer.
    stack.wait_for(lambda: stack.command("status")[1].count(" ready ") == 8, 60)
    code, text = stack.command("status")
    assert code == 0, text
    code, text = stack.command("send")
    assert code == 0, text
    assert text.count(" delivered ") == 3
    assert "from last time" in text
    code, text = stack.command("logs", "gateway", "postgres")
    assert code == 0, text


def _a_killed_worker_comes_back(stack: Stack) -> None:
    before = stack.pid_of("email_worker")
    os.kill(before, signal.SIGKILL)
    stack.wait_for(lambda: stack.pid_of("email_worker") not in {0, before}, 60)
    stack.wait_for(lambda: "email_worker runs again" in stack.said(), 60)
    code, text = stack.command("send")
    assert code == 0, text
