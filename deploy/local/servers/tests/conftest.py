"""Fixtures for tests that start real servers."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.install import missing_servers
from deploy.local.roster import Roster
from deploy.local.servers.data_folder import remove_data_folder
from deploy.local.tests.marks import nothing_left


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    """Without the servers' programs there is nothing to test; in CI they must be there."""
    missing = missing_servers(())
    if missing and os.environ.get("CI"):
        pytest.fail(f"not installed: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}; `make test` installs them")


@pytest.fixture
def roster(tmp_path: Path) -> Iterator[Roster]:
    """A roster in a temporary folder; afterwards nothing that it started may live."""
    roster = Roster(tmp_path, tmp_path / "logs")
    yield roster
    roster.stop_all()
    assert nothing_left(tmp_path)
    for folder in tmp_path.iterdir():
        remove_data_folder(folder)
