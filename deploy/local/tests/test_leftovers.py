import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from deploy.local.child import Command
from deploy.local.identity import MARK, identify
from deploy.local.leftovers import end_leftovers
from deploy.local.paths import ROOT, StackFolder
from deploy.local.private_files import write_private
from deploy.local.roster import Roster
from deploy.local.state import StateFile, load
from deploy.local.tests.marks import marked_once, nothing_left

# A supervisor that starts two processes, says so and waits to be killed.
SUPERVISOR = """
import pathlib, sys, time
from deploy.local.child import Command
from deploy.local.paths import StackFolder
from deploy.local.roster import Roster
from deploy.local.state import StateFile

folder = StackFolder(pathlib.Path(sys.argv[1]))
roster = Roster(folder.path, folder.logs, record=StateFile(folder, time.time()).record)
for name in ("one", "two"):
    roster.start(Command(name=name, argv=("sleep", "3600"), folder=folder.path))
folder.env.write_text("GATEWAY_URL=http://127.0.0.1:1")
print("up", flush=True)
time.sleep(3600)
"""


def killed_supervisor(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(folder)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert process.stdout
    assert process.stdout.readline() == b"up\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def test_what_a_killed_supervisor_left_is_ended_and_its_addresses_go(tmp_path: Path) -> None:
    killed_supervisor(tmp_path)
    assert len(marked_once(tmp_path, 2)) == 2
    assert end_leftovers(StackFolder(tmp_path)) == ["one", "two"]
    assert nothing_left(tmp_path)
    assert not StackFolder(tmp_path).env.exists()
    assert not StackFolder(tmp_path).state.exists()
    assert end_leftovers(StackFolder(tmp_path)) == []


def test_a_stranger_with_a_recorded_number_is_left_alone(tmp_path: Path) -> None:
    killed_supervisor(tmp_path)
    state = load(StackFolder(tmp_path).state)
    assert state
    # The kernel counts starts in hundredths of a second; no number is reused as soon as that.
    time.sleep(0.05)
    stranger = subprocess.Popen(["sleep", "3600"])
    try:
        # As if the number of the first had been given to somebody else since.
        text = StackFolder(tmp_path).state.read_text()
        number = f'"pid": {state.children[0].pid},'
        assert number in text
        write_private(StackFolder(tmp_path).state, text.replace(number, f'"pid": {stranger.pid},'))
        # The first itself is found all the same, by its mark.
        assert end_leftovers(StackFolder(tmp_path)) == [
            "two",
            f"process {state.children[0].pid}",
        ]
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
    assert nothing_left(tmp_path)


def test_a_process_that_was_never_recorded_is_found_by_its_mark(tmp_path: Path) -> None:
    stray = subprocess.Popen(["sleep", "3600"], env={**os.environ, MARK: str(tmp_path)})
    identity = identify(stray.pid)
    assert len(marked_once(tmp_path, 1)) == 1
    assert end_leftovers(StackFolder(tmp_path)) == [f"process {stray.pid}"]
    stray.wait()
    assert identity
    assert not identity.alive


def test_running_children_of_another_folder_are_not_leftovers(tmp_path: Path) -> None:
    mine, other = StackFolder(tmp_path / "mine"), StackFolder(tmp_path / "other")
    roster = Roster(other.path, other.logs, record=StateFile(other, 0).record)
    child = roster.start(Command(name="one", argv=("sleep", "3600"), folder=tmp_path))
    assert end_leftovers(mine) == []
    assert child.returncode is None
    roster.stop_all()
