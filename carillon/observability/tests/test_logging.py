"""Which lines a process writes, and what is in them."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def lines(level: str) -> list[dict[str, Any]]:
    ran = subprocess.run(
        [sys.executable, "-m", "carillon.observability.tests.speaking"],
        env={**os.environ, "LOG_LEVEL": level, "LOG_FORMAT": "json", "SETTINGS_FILES": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.parametrize("level", LEVELS)
def test_lines_below_the_level_are_not_written(level: str) -> None:
    wanted = [each.lower() for each in LEVELS[LEVELS.index(level) :]]
    expected = [event for each in wanted for event in (each, f"log {each}")]
    if "error" in wanted:
        expected += ["exception", "calm error"]
    assert [line["event"] for line in lines(level)] == expected


def test_a_line_says_where_it_comes_from() -> None:
    (warning, *_) = lines("WARNING")
    warning.pop("timestamp")
    assert warning == {
        "event": "warning",
        "level": "warning",
        "service": "speaker",
        "correlation_id": "one",
        "bound": 1,
    }


def test_an_exception_comes_with_its_traceback() -> None:
    (failure,) = [line for line in lines("ERROR") if line["event"] == "exception"]
    assert failure["level"] == "error"
    assert failure["exception"][0]["exc_value"] == "broken"
