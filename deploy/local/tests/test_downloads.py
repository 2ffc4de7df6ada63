import sys
from pathlib import Path

import pytest

from deploy.local import downloads
from deploy.local.child import Command
from deploy.local.errors import StackError
from deploy.local.roster import Roster

# Fails until it was called so many times.
FLAKY = """
import pathlib, sys
calls = pathlib.Path("calls")
calls.open("a").write("x")
sys.exit(len(calls.read_text()) < int(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PAUSES", (0.0, 0.0))


def flaky(folder: Path, succeeds: int) -> Command:
    argv = (sys.executable, "-c", FLAKY, str(succeeds))
    return Command(name="pip", argv=argv, folder=folder)


def test_a_download_that_fails_is_tried_again(roster: Roster, tmp_path: Path) -> None:
    roster.fetch(flaky(tmp_path, 3), timeout=60)
    assert (tmp_path / "calls").read_text() == "xxx"


def test_one_that_keeps_failing_is_given_up_with_its_reason(roster: Roster, tmp_path: Path) -> None:
    with pytest.raises(StackError, match="pip failed with exit code 1"):
        roster.fetch(flaky(tmp_path, 4), timeout=60)
    assert (tmp_path / "calls").read_text() == "xxx"


def test_nobody_tries_again_while_everything_is_stopped(roster: Roster, tmp_path: Path) -> None:
    roster.stop_all()
    with pytest.raises(StackError, match="the stack is being stopped"):
        roster.fetch(flaky(tmp_path, 1), timeout=60)
    assert not (tmp_path / "calls").exists()
