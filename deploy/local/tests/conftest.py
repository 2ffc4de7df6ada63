"""Fixtures for the local stack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.roster import Roster
from deploy.local.tests.marks import nothing_left


@pytest.fixture
def roster(tmp_path: Path) -> Iterator[Roster]:
    """A roster in a temporary folder; afterwards nothing that it started may live."""
    roster = Roster(tmp_path, tmp_path / "logs")
    yield roster
    roster.kill_all()
    assert nothing_left(tmp_path)
