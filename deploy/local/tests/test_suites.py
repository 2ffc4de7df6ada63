import tomllib
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.paths import ROOT
from deploy.local.provider_tests import TESTS as PROVIDER_TESTS
from deploy.local.suites import SHARED, SUITES, Suite, choose


def test_without_names_every_suite_runs() -> None:
    assert choose([], unit=False) == SUITES
    assert [suite.name for suite in choose(["gateway"], unit=False)] == ["gateway"]


def test_only_suites_with_unit_tests_run_as_such() -> None:
    assert "end_to_end" not in {suite.name for suite in choose([], unit=True)}
    assert "-m" in choose(["gateway"], unit=True)[0].arguments("r.xml", unit=True)
    assert "-m" not in choose(["gateway"], unit=False)[0].arguments("r.xml", unit=False)


def test_a_suite_that_there_is_not_is_named_with_those_there_are() -> None:
    with pytest.raises(StackError, match=r"gatway.*gateway"):
        choose(["gatway"], unit=False)
    with pytest.raises(StackError, match="end_to_end"):
        choose(["end_to_end"], unit=True)


def test_every_test_of_the_project_is_in_a_suite() -> None:
    ignored = {".venv", ".local", "node_modules"}
    files = [f.relative_to(ROOT) for f in ROOT.rglob("test_*.py")]
    files = [file for file in files if not ignored & set(file.parts)]
    assert len(files) > 50
    for file in files:
        expected = 2 if file.is_relative_to(SHARED) else 1
        if file.is_relative_to(PROVIDER_TESTS):
            # They have a command of their own.
            expected = 0
        assert sum(covers(suite, file) for suite in SUITES) == expected, file


def covers(suite: Suite, file: Path) -> bool:
    without = any(map(file.is_relative_to, suite.without))
    return any(map(file.is_relative_to, suite.paths)) and not without


def test_every_path_of_a_suite_exists() -> None:
    for suite in SUITES:
        for path in suite.paths:
            assert (ROOT / path).exists(), path


def test_the_markers_that_unit_runs_leave_out_are_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    markers = project["tool"]["pytest"]["ini_options"]["markers"]
    assert {marker.partition(":")[0] for marker in markers} >= {"integration", "end_to_end"}
