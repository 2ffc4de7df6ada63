from pathlib import Path

from deploy.local.junit import Counts, counts_in
from deploy.local.suites import SUITES
from deploy.local.testing import Outcome, summary

REPORT = """<?xml version="1.0"?><testsuites><testsuite name="pytest" errors="1" failures="2"
 skipped="3" tests="10" time="1.0"></testsuite></testsuites>"""


def test_errors_count_as_failures(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(REPORT)
    assert counts_in(tmp_path / "report.xml") == Counts(passed=4, failed=3, skipped=3)


def test_a_pytest_that_died_left_no_counts(tmp_path: Path) -> None:
    assert counts_in(tmp_path / "absent.xml") == Counts()
    (tmp_path / "half.xml").write_text(REPORT[:50])
    assert counts_in(tmp_path / "half.xml").collected == 0


def test_the_last_line_is_the_counts_alone() -> None:
    outcomes = [
        Outcome(SUITES[0], Counts(10, 0, 2), "", 3.0),
        Outcome(SUITES[1], Counts(5, 1), "pytest ended with exit code 1", 2.0),
    ]
    assert summary(outcomes)[-1] == "15 passed, 1 failed, 2 skipped"
    assert summary(outcomes[:0])[-1] == "0 passed, 0 failed"


def test_a_suite_that_failed_as_a_whole_counts_as_one_failure() -> None:
    nothing = Outcome(SUITES[1], Counts(), "no test was collected", 1.0)
    crashed = Outcome(SUITES[2], Counts(7, 0), "pytest ended with exit code 3", 1.0)
    lines = summary([nothing, crashed])
    assert lines[-1] == "7 passed, 2 failed"
    assert lines[0] == f"{SUITES[1].name} (1 s): 0 passed, 0 failed: no test was collected"
