"""The short form of `make chaos`: small numbers and short outages, the same code."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.end_to_end.faults.arena import Arena, arena
from tests.end_to_end.faults.audit import audit
from tests.end_to_end.faults.scenario import SHORT, Scenario
from tests.end_to_end.faults.scenarios import scenarios_for
from tests.end_to_end.faults.verdict import Verdict, run

pytestmark = [pytest.mark.integration, pytest.mark.end_to_end, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def broken() -> Iterator[Arena]:
    """Servers and a platform of our own: the suite's are not ours to break."""
    # Not pytest's folder: PostgreSQL's account could not enter it.
    with TemporaryDirectory(prefix="carillon-faults-") as folder:
        Path(folder).chmod(0o711)
        with arena(Path(folder)) as ready:
            yield ready


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    """Those of the scenarios so far."""
    return []


@pytest.mark.parametrize("scenario", scenarios_for(SHORT), ids=lambda scenario: scenario.name)
def test_the_promise_is_kept(broken: Arena, verdicts: list[Verdict], scenario: Scenario) -> None:
    verdicts.append(run(broken, scenario, SHORT))
    assert verdicts[-1].problems == ()


def test_nothing_comes_late_and_accepted_is_the_sum_of_the_ends(
    broken: Arena, verdicts: list[Verdict]
) -> None:
    assert audit(broken, verdicts).problems == ()
