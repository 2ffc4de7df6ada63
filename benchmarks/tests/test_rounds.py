"""Rounds meet all sides alike, and ratios are of medians."""

import io

import pytest

from benchmarks.harness.results import Comparison
from benchmarks.harness.rounds import Rounds, Side, Spread, interleave
from benchmarks.harness.targets import Target
from deploy.local.console import Console

OURS, PEER = ("ours", "rate"), ("peer", "rate")


def measured(ours: list[float], peer: list[float]) -> Rounds:
    """Rounds of two sides."""
    rounds = Rounds()
    for (side, metric), values in ((OURS, ours), (PEER, peer)):
        for value in values:
            rounds.add(side, {metric: value})
    return rounds


def test_every_round_begins_with_another_side() -> None:
    order: list[str] = []

    def side(name: str) -> Side:
        def measure() -> dict[str, float]:
            order.append(name)
            return {"rate": float(len(order))}

        return Side(name, measure)

    rounds = interleave([side("a"), side("b"), side("c")], 3, Console(io.StringIO()))
    assert order == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]
    assert rounds.of("a", "rate").values == (1.0, 6.0, 8.0)


def test_a_ratio_is_that_of_the_medians() -> None:
    rounds = measured([10.0, 30.0, 1000.0], [10.0, 10.0, 100.0])
    comparison = Comparison(Target("ours / peer", must=2.0), OURS, PEER)
    assert comparison.ratio(rounds) == 3.0
    assert rounds.ratios(OURS, PEER) == Spread((1.0, 3.0, 10.0))


def test_what_was_not_measured_has_no_ratio() -> None:
    with pytest.raises(KeyError, match="ours has no latency"):
        measured([1.0], [1.0]).of("ours", "latency")


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(0.36, "aim"), (0.35, "aim"), (0.22, "must"), (0.21, "missed")]
)
def test_more_is_better(ratio: float, verdict: str) -> None:
    assert Target("rate", must=0.22, aim=0.35).verdict(ratio) == verdict


@pytest.mark.parametrize(("ratio", "verdict"), [(2.2, "aim"), (3.0, "must"), (3.1, "missed")])
def test_less_is_better_where_it_is_said(ratio: float, verdict: str) -> None:
    assert Target("time", must=3.0, aim=2.3, lower=True).verdict(ratio) == verdict
