"""A server that was too busy for a moment is asked again; one that refuses is not measured."""

import os
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from benchmarks.harness import calls, wrk
from benchmarks.harness.calls import answered
from deploy.local.errors import StackError

# Each run takes a line of what it is to print, in its place wrk's own report.
PROGRAM = """#!/bin/sh
cd {folder} && head -n 1 results && sed -i 1d results
"""
GOOD, REFUSED = "result 100 1000000 0 0 1000 2000", "result 100 1000000 3 0 1000 2000"


def answer(status: int) -> requests.Response:
    made = requests.Response()
    made.status_code = status
    return made


@pytest.mark.parametrize(
    ("statuses", "last", "asked"), [([503, 202], 202, 2), ([400, 202], 400, 1), ([503] * 9, 503, 3)]
)
def test_what_is_unavailable_is_asked_again(
    statuses: list[int], last: int, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "PAUSES", (0.0, 0.0))
    left = iter(statuses)
    assert answered(lambda: answer(next(left))).status_code == last
    assert len(list(left)) == len(statuses) - asked


@pytest.mark.parametrize(
    ("results", "measured"), [([GOOD], True), ([REFUSED, GOOD], True), ([REFUSED] * 3, False)]
)
def test_a_rate_of_refusals_is_none(
    results: list[str], measured: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "results").write_text("\n".join(results) + "\n")
    program = tmp_path / "wrk"
    program.write_text(PROGRAM.format(folder=tmp_path))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(
        wrk, "WRK", SimpleNamespace(file=program, environment=lambda: dict(os.environ))
    )
    if measured:
        assert wrk.post("http://x", {}, {}, seconds=1.0).rate == 100
    else:
        with pytest.raises(StackError, match="of 100 requests 3 were refused"):
            wrk.post("http://x", {}, {}, seconds=1.0)
    assert (tmp_path / "results").read_text() == ""
