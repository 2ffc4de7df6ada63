"""What is kept of a scenario: JSON with every round, and a chart that browsers can read."""

import datetime
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.harness.chart import draw
from benchmarks.harness.machine import Machine
from benchmarks.harness.results import Circumstances, Comparison, Result, missed, save
from benchmarks.harness.rounds import Rounds
from benchmarks.harness.targets import Target

RATE = "requests a second"


@pytest.fixture
def result() -> Result:
    """Ours at half of what a ceiling does, where two thirds were promised."""
    rounds = Rounds()
    for ours, ceiling in ((40.0, 100.0), (50.0, 100.0), (60.0, 90.0)):
        rounds.add("carillon", {RATE: ours})
        rounds.add("<ceiling>", {RATE: ceiling})
    target = Target("ours / ceiling", must=0.66)
    comparison = Comparison(target, ("carillon", RATE), ("<ceiling>", RATE))
    return Result("example", "Ours & theirs", rounds, (comparison,))


@pytest.fixture
def circumstances() -> Circumstances:
    machine = Machine("A & B", 2, 8.0, "Linux", {"Python": "3.11"})
    begun = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    return Circumstances(machine, begun, (0.5, 1.5), quick=False)


def test_every_round_and_the_load_are_kept(
    result: Result, circumstances: Circumstances, tmp_path: Path
) -> None:
    kept = json.loads(save(result, circumstances, tmp_path).read_text(encoding="utf-8"))
    assert kept["measured"][0] == {
        "side": "carillon",
        "metric": RATE,
        "median": 50.0,
        "least": 40.0,
        "most": 60.0,
        "rounds": [40.0, 50.0, 60.0],
    }
    assert kept["ratios"][0]["ratio"] == 0.5
    assert kept["ratios"][0]["verdict"] == "missed"
    assert kept["load_average"] == {"before": 0.5, "after": 1.5}


def test_the_chart_is_well_formed_and_names_everybody(
    result: Result, circumstances: Circumstances, tmp_path: Path
) -> None:
    root = ElementTree.parse(draw(result, circumstances, tmp_path)).getroot()  # noqa: S314
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Ours & theirs", "carillon", "<ceiling>", "50", "100"} <= set(texts)
    bars = [float(each.attrib["width"]) for each in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert bars[0] == pytest.approx(bars[1] / 2)


def test_what_fell_short_is_named(result: Result) -> None:
    assert missed([result]) == ["ours / ceiling"]
