"""deploy/prometheus: what it asks exists, and each alert is explained."""

import re
from typing import Any

import pytest
import yaml

from carillon.broker.topology import DEAD_EXCHANGE, queues
from deploy.compose.process import PROCESSES
from deploy.promql import named
from deploy.tests.observability_names import ROOT, load, recorded, rules, series
from deploy.tests.test_documentation import slug

FOLDER = ROOT / "deploy/prometheus"
RUNBOOK = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
RECORDING = rules("recording.yml")
ALERTS = rules("alerts.yml")
ALL = [*RECORDING, *ALERTS]
SCRAPES: dict[str, dict[str, Any]] = {
    scrape["job_name"]: scrape for scrape in load(FOLDER / "prometheus.yml")["scrape_configs"]
}
UNIT_TESTS = sorted((FOLDER / "tests").glob("*.yml"))
# A level is the labels that are left, "carillon" where none is.
RECORD = re.compile(r"([a-z_]+):([a-z_]+):([a-z0-9_]+)")


def title(rule: dict[str, Any]) -> str:
    """A rule's name."""
    return str(rule.get("record") or rule["alert"])


def target(job: str) -> str:
    """The only address of a scrape job."""
    (config,) = SCRAPES[job]["static_configs"]
    (address,) = config["targets"]
    return str(address)


@pytest.mark.parametrize("process", PROCESSES)
def test_every_process_is_scraped_where_compose_runs_it(process: str) -> None:
    assert target(process) == f"{process.replace('_', '-')}:{PROCESSES[process].default_port}"
    assert "metrics_path" not in SCRAPES[process]


def test_nothing_is_scraped_that_compose_does_not_run() -> None:
    services = load(ROOT / "docker-compose.yml")["services"]
    assert set(SCRAPES) - set(PROCESSES) == {"prometheus", "rabbitmq", "rabbitmq_queues"}
    assert {target(job).partition(":")[0] for job in SCRAPES} - {"localhost"} <= set(services)


@pytest.mark.parametrize("rule", ALL, ids=title)
def test_every_series_of_a_rule_exists_and_has_the_labels_asked_of_it(rule: dict[str, Any]) -> None:
    query, known = named(rule["expr"]), series()
    assert query.series
    assert query.series - recorded() <= set(known)
    for name, label in query.matched:
        assert name in recorded() or label in known[name], (name, label)


@pytest.mark.parametrize("rule", RECORDING, ids=title)
def test_a_recorded_name_says_level_and_operation(rule: dict[str, Any]) -> None:
    match = RECORD.fullmatch(rule["record"])
    assert match, "level:what:operation"
    level = match[1]
    grouped = named(rule["expr"]).grouped - {"le"}
    assert "_".join(sorted(grouped, key=level.find)) == ("" if level == "carillon" else level)


@pytest.mark.parametrize("rule", ALERTS, ids=title)
def test_an_alert_says_how_urgent_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert re.fullmatch(r"([A-Z][a-z]+)+", rule["alert"])
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    for words in ("summary", "description"):
        assert rule["annotations"][words].endswith(".")
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert page == "docs/runbook.md"
    assert anchor == rule["alert"].lower()
    assert anchor in {slug(heading) for heading in re.findall(r"^#+ (.+)$", RUNBOOK, re.MULTILINE)}


@pytest.mark.parametrize("rule", ALERTS, ids=title)
def test_labels_in_an_alert_s_words_are_left_by_its_query(rule: dict[str, Any]) -> None:
    said = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    query, known = named(rule["expr"]), series()
    levels = {
        label for name in query.series & recorded() for label in name.split(":")[0].split("_")
    }
    plain = query.series - recorded()
    kept = query.grouped or {label for name in plain for label in known[name]}
    assert said <= levels | kept


@pytest.mark.parametrize("name", sorted({rule["alert"] for rule in ALERTS}))
def test_the_runbook_says_of_an_alert_all_that_is_asked_at_night(name: str) -> None:
    section = re.split(r"^##+ ", RUNBOOK.partition(f"\n### {name}\n")[2], flags=re.MULTILINE)[0]
    for part in ("**Means**", "**Look**", "**Do**", "**Over**"):
        assert section.count(part) == 1, part


def test_the_runbook_has_no_section_of_an_alert_that_is_gone() -> None:
    described = RUNBOOK.partition("\n## Alerts\n")[2]
    headings = re.findall(r"^### (.+)$", described, re.MULTILINE)
    assert sorted(headings) == sorted({rule["alert"] for rule in ALERTS})


@pytest.mark.parametrize("name", sorted({rule["alert"] for rule in ALERTS}))
def test_a_unit_test_sees_each_alert_fire(name: str) -> None:
    expected = [
        sample["labels"]
        for path in UNIT_TESTS
        for case in load(path)["tests"]
        for check in case.get("promql_expr_test", [])
        for sample in check["exp_samples"]
    ]
    assert any(f'alertname="{name}"' in labels for labels in expected)


def test_the_queues_of_rules_are_told_apart_as_the_topology_does() -> None:
    resting = re.compile(r".+\.(dead|parked)\.queue")
    text = yaml.safe_dump([rule["expr"] for rule in ALERTS])
    assert "dead|parked" in text
    for queue in queues():
        assert bool(resting.fullmatch(queue.name)) == (queue.exchange == DEAD_EXCHANGE), queue.name
