"""deploy/grafana: every query of a dashboard names what exists, and Grafana finds all it needs."""

import json
import re
from typing import Any

import pytest

from deploy.promql import named
from deploy.tests.observability_names import ROOT, load, recorded, series

FOLDER = ROOT / "deploy/grafana"
DASHBOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((FOLDER / "dashboards").glob("*.json"))
}
PANELS = [
    (name, panel)
    for name, dashboard in DASHBOARDS.items()
    for panel in dashboard["panels"]
    if panel["type"] != "row"
]


def panel_id(value: object) -> str:
    """A panel by its title."""
    return str(value["title"]) if isinstance(value, dict) else str(value)


def test_there_are_two_dashboards_and_each_has_its_own_name() -> None:
    assert set(DASHBOARDS) == {"internals", "traffic"}
    assert len({dashboard["uid"] for dashboard in DASHBOARDS.values()}) == 2


@pytest.mark.parametrize(("name", "panel"), PANELS, ids=panel_id)
def test_every_query_names_series_and_labels_that_exist(name: str, panel: dict[str, Any]) -> None:
    known = series()
    assert panel["targets"]
    for target in panel["targets"]:
        query = named(target["expr"])
        assert query.series, target["expr"]
        assert query.series - recorded() <= set(known), target["expr"]
        for metric, label in query.matched:
            assert label in known[metric], target["expr"]
        labels = {label for metric in query.series - recorded() for label in known[metric]}
        levels = {word for rule in recorded() for word in rule.partition(":")[0].split("_")}
        assert query.grouped <= labels | levels, target["expr"]
        shown = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
        assert shown <= (query.grouped or levels), target["legendFormat"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_do_not_overlap_and_their_data_source_is_provisioned(name: str) -> None:
    (source,) = load(FOLDER / "provisioning/datasources/prometheus.yml")["datasources"]
    cells: set[tuple[int, int]] = set()
    for panel in DASHBOARDS[name]["panels"]:
        at = panel["gridPos"]
        own = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not own & cells, panel["title"]
        cells |= own
        assert panel["type"] == "row" or panel["datasource"]["uid"] == source["uid"]
    ids = [panel["id"] for panel in DASHBOARDS[name]["panels"]]
    assert len(ids) == len(set(ids))


def test_compose_mounts_what_grafana_and_prometheus_are_told_to_read() -> None:
    services = load(ROOT / "docker-compose.yml")["services"]
    mounts = {
        name: dict(volume.split(":")[:2] for volume in services[name]["volumes"])
        for name in ("grafana", "prometheus")
    }
    (provider,) = load(FOLDER / "provisioning/dashboards/carillon.yml")["providers"]
    assert mounts["grafana"]["./deploy/grafana/dashboards"] == provider["options"]["path"]
    assert mounts["grafana"]["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    config = mounts["prometheus"]["./deploy/prometheus/prometheus.yml"]
    assert f"--config.file={config}" in services["prometheus"]["command"]
    # `rule_files` is relative to the configuration.
    rules = mounts["prometheus"]["./deploy/prometheus/rules"]
    assert rules == config.replace("prometheus.yml", "rules")
    (source,) = load(FOLDER / "provisioning/datasources/prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
