import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.local.child import Command, Layer
from deploy.local.errors import StackError
from deploy.local.identity import identify
from deploy.local.roster import Roster
from deploy.local.tests.marks import WAIT, nothing_left

# Starts a child of its own, says so, and ignores SIGTERM.
STUBBORN_PROGRAM = """
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(subprocess.Popen(["sleep", "3600"]).pid, flush=True)
time.sleep(3600)
"""
STUBBORN = (sys.executable, "-c", STUBBORN_PROGRAM)
POLITE = (sys.executable, "-c", "print('up', flush=True); import time; time.sleep(3600)")


def first_line(log: Path) -> str:
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        text = log.read_text() if log.exists() else ""
        if "\n" in text:
            return text.splitlines()[0]
        time.sleep(0.01)
    raise AssertionError(f"{log} has no line")


def test_output_goes_to_the_log_and_to_the_listener(tmp_path: Path) -> None:
    lines: list[tuple[str, bytes]] = []
    roster = Roster(tmp_path, tmp_path / "logs", on_line=lambda *line: lines.append(line))
    argv = (sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr)")
    child = roster.start(Command(name="talker", argv=argv, folder=tmp_path))
    assert child.wait(WAIT) == 0
    assert sorted(child.log.read_text().split()) == ["err", "out"]
    assert sorted(lines) == [("talker", b"err\n"), ("talker", b"out\n")]
    silent = roster.start(Command(name="silent", argv=argv, folder=tmp_path), show=False)
    assert silent.wait(WAIT) == 0
    assert len(lines) == 2
    roster.stop_all()


def test_stop_ends_what_ignores_it_and_its_children(roster: Roster, tmp_path: Path) -> None:
    child = roster.start(Command(name="stubborn", argv=STUBBORN, folder=tmp_path, grace=0.3))
    grandchild = identify(int(first_line(child.log)))
    assert grandchild
    roster.stop("stubborn")
    assert child.returncode == -signal.SIGKILL
    deadline = time.monotonic() + WAIT
    # It has let go of its output by now, which is not the last that the kernel does.
    while grandchild.alive and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not grandchild.alive
    assert roster.children() == []


def test_layers_end_from_the_top(tmp_path: Path) -> None:
    ended: list[str] = []
    roster = Roster(tmp_path, tmp_path / "logs")
    for layer in (Layer.PLATFORM, Layer.FOUNDATION, Layer.SERVER):
        roster.start(Command(name=layer.name, argv=("sleep", "3600"), folder=tmp_path, layer=layer))
    original = roster.stop
    roster.stop = lambda name: (ended.append(name), original(name))[1]  # type: ignore[method-assign, func-returns-value]
    roster.stop_all()
    assert ended == ["PLATFORM", "SERVER", "FOUNDATION"]


def test_a_closed_roster_starts_nothing(roster: Roster, tmp_path: Path) -> None:
    roster.stop_all()
    with pytest.raises(StackError, match="late is not started"):
        roster.start(Command(name="late", argv=POLITE, folder=tmp_path))
    assert nothing_left(tmp_path)


def test_kill_all_needs_no_patience(roster: Roster, tmp_path: Path) -> None:
    # Longer than any test may take.
    child = roster.start(Command(name="stubborn", argv=STUBBORN, folder=tmp_path, grace=3600))
    first_line(child.log)
    roster.kill_all()
    assert child.wait(WAIT) == -signal.SIGKILL
    assert nothing_left(tmp_path)


def test_what_cannot_be_started_is_named(roster: Roster, tmp_path: Path) -> None:
    with pytest.raises(StackError, match="ghost cannot be started"):
        roster.start(Command(name="ghost", argv=("/no/such/program",), folder=tmp_path))


def test_a_failed_command_shows_the_end_of_its_log(roster: Roster, tmp_path: Path) -> None:
    argv = (sys.executable, "-c", "print('the reason'); raise SystemExit(3)")
    with pytest.raises(StackError, match=r"broken failed with exit code 3:\n +the reason"):
        roster.run(Command(name="broken", argv=argv, folder=tmp_path), timeout=WAIT)
    assert roster.children() == []


def test_a_command_that_hangs_is_ended(roster: Roster, tmp_path: Path) -> None:
    with pytest.raises(StackError, match="took more than 0 s"):
        roster.run(Command(name="hung", argv=POLITE, folder=tmp_path), timeout=0.2)
    assert nothing_left(tmp_path)


def test_what_ended_by_itself_is_started_again_but_not_what_was_stopped(
    roster: Roster, tmp_path: Path
) -> None:
    child = roster.start(Command(name="worker", argv=POLITE, folder=tmp_path))
    subprocess.run(["kill", "-9", str(child.pid)], check=True)
    child.wait(WAIT)
    again = roster.restart(child)
    assert again
    assert again.pid != child.pid
    assert [c.pid for c in roster.children()] == [again.pid]
    assert roster.restart(child) is None
    roster.stop("worker")
    assert roster.restart(again) is None
