import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.local.paths import ROOT
from deploy.local.tests.marks import marked_once, nothing_left
from deploy.local.tests.signals import heed_signals

PROGRAM = """
import pathlib, sys
from deploy.local.child import Command
from deploy.local.console import Console
from deploy.local.errors import StackError
from deploy.local.interruptible import run_until_stopped
from deploy.local.roster import Roster

folder = pathlib.Path(sys.argv[1])
roster = Roster(folder, folder / "logs")

def work():
    for number in range(3):
        roster.start(Command(name=f"child-{number}", argv=("sleep", "3600"), folder=folder))
    stubborn = "trap '' TERM; echo up; while :; do sleep 3600; done"
    argv = ("sh", "-c", stubborn)
    grace = float(sys.argv[3])
    child = roster.start(Command(name="stubborn", argv=argv, folder=folder, grace=grace))
    while not child.log.exists() or not child.log.read_text():
        pass
    print("started", flush=True)
    if sys.argv[2] == "fail":
        raise StackError("the reason")
    if sys.argv[2] == "wait":
        roster.wait_closed()
    return 7

code = run_until_stopped(work, roster, Console(), stopping="Ending it all", when_stopped=42)
print("left", len(roster.children()), flush=True)
sys.exit(code)
"""


def start(
    folder: Path, way: str, *, grace: float = 0.2, heeding: bool = True
) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), way, str(grace)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_signals if heeding else None,
    )
    assert process.stdout
    assert process.stdout.readline().strip() == "started"
    return process


def end(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=60)
    return output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_process_and_nothing_is_left(
    tmp_path: Path, number: signal.Signals
) -> None:
    bystander = subprocess.Popen(["sleep", "3600"])
    process = start(tmp_path, "wait")
    # The three, the stubborn one, and what that runs.
    assert len(marked_once(tmp_path, 5)) == 5
    process.send_signal(number)
    output = end(process)
    assert process.returncode == 42
    assert "Ending it all" in output
    assert "left 0" in output
    assert nothing_left(tmp_path)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    process = start(tmp_path, "wait", grace=3600)
    process.send_signal(signal.SIGINT)
    assert process.stdout
    while "Ending it all" not in process.stdout.readline():
        pass
    time.sleep(0.2)  # a person's two presses are two signals, not one
    os.kill(process.pid, signal.SIGINT)
    output = end(process)
    assert "at once" in output
    assert nothing_left(tmp_path)


def test_work_that_ends_by_itself_takes_its_processes_along(tmp_path: Path) -> None:
    process = start(tmp_path, "return")
    end(process)
    assert process.returncode == 7
    assert nothing_left(tmp_path)


def test_work_that_fails_says_why_and_takes_its_processes_along(tmp_path: Path) -> None:
    process = start(tmp_path, "fail")
    output = end(process)
    assert process.returncode == 1
    assert "the reason" in output
    assert nothing_left(tmp_path)


def test_an_ignored_hang_up_stays_ignored(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = start(tmp_path, "wait", heeding=False)  # inherits it, as under nohup
    finally:
        signal.signal(signal.SIGHUP, before)
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.send_signal(signal.SIGTERM)
    end(process)
    assert nothing_left(tmp_path)
