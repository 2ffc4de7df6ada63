"""The short form of `make chaos`: every promise, small numbers, the same code."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.end_to_end.faults.arena import Arena, arena
from tests.end_to_end.faults.scenarios import SCENARIOS, SHORT, Scenario
from tests.end_to_end.faults.verdict import run

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def broken() -> Iterator[Arena]:
    """Servers and a platform of our own: the suite's are not ours to break."""
    # Not pytest's folder: PostgreSQL's account could not enter it.
    with TemporaryDirectory(prefix="carillon-faults-") as folder:
        Path(folder).chmod(0o711)
        with arena(Path(folder)) as ready:
            yield ready


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_promise_is_kept(broken: Arena, scenario: Scenario) -> None:
    verdict = run(broken, scenario, SHORT)
    assert verdict.kept, verdict
