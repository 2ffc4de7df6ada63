import io
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local import supervisor as module
from deploy.local.child import Command
from deploy.local.console import Console
from deploy.local.errors import StackError
from deploy.local.roster import Roster
from deploy.local.supervisor import RESTARTS, Supervisor


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.0)
    monkeypatch.setattr(module, "POLL", 0.01)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_killed_process_is_started_again_and_the_stream_says_so(
    roster: Roster, tmp_path: Path
) -> None:
    output = io.StringIO()
    first = roster.start(Command(name="worker", argv=("sleep", "3600"), folder=tmp_path))
    watch = threading.Thread(target=Supervisor(roster, Console(output)).watch)
    watch.start()
    os.kill(first.pid, signal.SIGKILL)
    wait_for(lambda: "runs again" in output.getvalue())
    assert f"worker (pid {first.pid}) ended: signal 9" in output.getvalue()
    assert roster.children()[0].pid != first.pid
    roster.stop_all()
    watch.join(60)
    assert not watch.is_alive()


def test_one_that_keeps_ending_stops_it_all_with_its_last_words(
    roster: Roster, tmp_path: Path
) -> None:
    argv = ("sh", "-c", "echo no such table; exit 4")
    roster.start(Command(name="events", argv=argv, folder=tmp_path))
    with pytest.raises(StackError, match=r"(?s)events ended .* times.*exit code 4.*no such table"):
        Supervisor(roster, Console(io.StringIO())).watch()
    log = (roster.logs / "events.log").read_text()
    assert log.count("no such table") == RESTARTS + 1


def test_what_is_stopped_on_purpose_stays_stopped(roster: Roster, tmp_path: Path) -> None:
    output = io.StringIO()
    roster.start(Command(name="rabbitmq", argv=("sleep", "3600"), folder=tmp_path))
    other = roster.start(Command(name="relay", argv=("sleep", "3600"), folder=tmp_path))
    watch = threading.Thread(target=Supervisor(roster, Console(output)).watch)
    watch.start()
    roster.stop("rabbitmq")
    os.kill(other.pid, signal.SIGKILL)  # seen and replaced: so the other was looked at as well
    wait_for(lambda: "relay runs again" in output.getvalue())
    assert [child.name for child in roster.children()] == ["relay"]
    assert "rabbitmq" not in output.getvalue()
    roster.stop_all()
    watch.join(60)
