"""What was counted late was counted all the same."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from carillon.contracts.messages import Outcome
from carillon.contracts.provider import Acceptance
from carillon.errors import TemporaryFailure
from carillon.testing.providers import delivery_job
from carillon.worker import metrics
from carillon.worker.sending import Answered
from carillon.worker.tally import MOST, Tally
from carillon.worker.tests.doubles import done

_names = count()


@pytest.fixture
def provider() -> str:
    """A label of the test's own."""
    return f"tally-{next(_names)}"


def samples(metric: Any, **labels: str) -> dict[str, float]:
    return {
        f"{sample.name}{sample.labels.get('le', '')}": sample.value
        for family in metric.collect()
        for sample in family.samples
        if labels.items() <= sample.labels.items() and not sample.name.endswith("_created")
    }


def test_calls_are_counted_as_if_each_had_been_observed(provider: str) -> None:
    tally, seconds = Tally(), [0.0005, 0.002, 0.002, 99.0]
    now = datetime.now(UTC)
    for took in seconds:
        heard = Acceptance() if took < 1 else TemporaryFailure("late")
        tally.called(provider, delivery_job(), Answered(now, 0.0, took, heard))
    assert samples(metrics.CALL_SECONDS, provider=provider) == {}
    tally.count()
    alike = metrics.CALL_SECONDS.labels("email", f"{provider}-alike")
    for took in seconds:
        alike.observe(took)
    assert samples(metrics.CALL_SECONDS, provider=provider) == samples(
        metrics.CALL_SECONDS, provider=f"{provider}-alike"
    )
    assert metrics.calls("email", provider, "accepted")._value.get() == 3
    assert metrics.calls("email", provider, "temporary")._value.get() == 1
    tally.count()
    assert metrics.calls("email", provider, "accepted")._value.get() == 3


def test_outcomes_are_counted_when_there_are_enough(provider: str) -> None:
    tally, job = Tally(), delivery_job()
    outcome = done()
    counter = metrics.jobs("email", job.lane.value, outcome.provider, Outcome.DELIVERED.value)
    before = counter._value.get()
    for _ in range(MOST - 1):
        tally.ended(job, outcome)
    assert counter._value.get() == before
    tally.ended(job, outcome)
    assert counter._value.get() == before + MOST
