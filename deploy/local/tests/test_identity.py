import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.identity import MARK, ProcessIdentity, identify, marked

SLEEPER = [sys.executable, "-c", "import time; print(flush=True); time.sleep(3600)"]


def sleeper(environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        SLEEPER, stdout=subprocess.PIPE, env={**os.environ, **(environment or {})}
    )
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    return process


def test_a_process_is_itself_until_it_ends() -> None:
    process = sleeper()
    identity = identify(process.pid)
    assert identity == identify(process.pid)
    process.kill()
    # Not yet collected by its parent: a corpse is not alive.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert identify(process.pid) is None
    process.wait()
    assert identity
    assert not identity.alive


def test_the_same_number_with_another_start_is_another_process() -> None:
    own = identify(os.getpid())
    assert own
    assert not replace(own, started="long ago").alive
    assert not ProcessIdentity(own.pid, "").alive


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_is_found_by_the_mark_in_its_environment(tmp_path: Path) -> None:
    process = sleeper({MARK: str(tmp_path)})
    try:
        assert [identity.pid for identity in marked(tmp_path)] == [process.pid]
        assert marked(tmp_path / "other") == []
        assert marked(tmp_path.parent) == []
    finally:
        process.kill()
        process.wait()
    assert marked(tmp_path) == []
