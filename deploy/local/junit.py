"""Counts what pytest wrote to a JUnit XML file."""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True, slots=True)
class Counts:
    """Tests by outcome; an error counts as a failure."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    @property
    def collected(self) -> int:
        """How many there were."""
        return self.passed + self.failed + self.skipped

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def counts_in(report: Path) -> Counts:
    """The counts of a report; nothing at all where pytest did not live to write one."""
    try:
        root = ElementTree.parse(report).getroot()  # noqa: S314  written by our own pytest
    except (OSError, ElementTree.ParseError):
        return Counts()
    total = failed = skipped = 0
    for suite in root.iter("testsuite"):
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    # A test that passes and whose teardown then fails is one test with one error.
    return Counts(max(total - failed - skipped, 0), failed, skipped)
