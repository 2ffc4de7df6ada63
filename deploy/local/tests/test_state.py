import json
import os
import subprocess
import sys
from pathlib import Path

from deploy.local.child import Command
from deploy.local.identity import identify
from deploy.local.paths import ROOT, StackFolder
from deploy.local.roster import Roster
from deploy.local.state import StackLock, StateFile, load, supervisor_of


def test_children_are_on_disk_as_soon_as_they_run_and_until_they_end(tmp_path: Path) -> None:
    folder = StackFolder(tmp_path)
    state = StateFile(folder, begun=1.5)
    roster = Roster(folder.path, folder.logs, record=state.record)
    command = Command(name="sleeper", argv=("sleep", "3600"), folder=tmp_path)
    try:
        child = roster.start(command)
        recorded = load(folder.state)
        assert recorded
        assert [(c.name, c.pid) for c in recorded.children] == [("sleeper", child.pid)]
        assert recorded.children[0].identity.alive
    finally:
        roster.stop_all()
    emptied = load(folder.state)
    assert emptied
    assert emptied.children == []
    assert emptied.begun == 1.5


def test_state_holds_secrets_of_nobody_but_is_private_all_the_same(tmp_path: Path) -> None:
    state = StateFile(StackFolder(tmp_path), begun=0)
    state.describe(health={"gateway": "http://127.0.0.1:1/"}, places={"Mailbox": "http://x"})
    state.set_ready()
    path = StackFolder(tmp_path).state
    assert path.stat().st_mode & 0o777 == 0o600
    loaded = load(path)
    assert loaded
    assert (loaded.ready, loaded.places) == (True, {"Mailbox": "http://x"})


def test_a_state_that_cannot_be_read_is_no_state(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    assert load(path) is None
    for text in ("", "[]", "null", "{}", '{"begun": 1, "children": [{"name": "x"}]}', '{"beg'):
        path.write_text(text)
        assert load(path) is None


def test_the_lock_has_one_holder_and_names_it(tmp_path: Path) -> None:
    folder = StackFolder(tmp_path)
    assert supervisor_of(folder) is None
    first, second = StackLock(folder), StackLock(folder)
    assert first.acquire()
    assert not second.acquire()
    assert supervisor_of(folder) == identify(os.getpid())
    first.release()
    assert supervisor_of(folder) is None
    assert second.acquire()
    second.release()


def test_the_lock_of_a_killed_holder_is_free(tmp_path: Path) -> None:
    program = (
        "import sys, time, pathlib; from deploy.local.paths import StackFolder;"
        "from deploy.local.state import StackLock;"
        "lock = StackLock(StackFolder(pathlib.Path(sys.argv[1])));"
        "print(lock.acquire(), flush=True); time.sleep(3600)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    assert holder.stdout.readline().strip() == "True"
    folder = StackFolder(tmp_path)
    found = supervisor_of(folder)
    assert found
    assert found.pid == holder.pid
    assert not StackLock(folder).acquire()
    holder.kill()
    holder.wait()
    holder.stdout.close()
    # The text still names the dead; the kernel's lock is what counts.
    assert json.loads(folder.lock.read_text())["pid"] == holder.pid
    assert supervisor_of(folder) is None
    lock = StackLock(folder)
    assert lock.acquire()
    lock.release()
