import io
import sys

import pytest

from deploy.local import linting
from deploy.local.console import Console
from deploy.local.errors import StackError
from deploy.local.linting import Check, checks, main


def python(name: str, code: str) -> Check:
    return Check(name, (sys.executable, "-c", code), {"WORD": "given"})


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    three = (
        python("good", "import os; assert os.environ['WORD'] == 'given'"),
        python("bad", "print('the reason'); raise SystemExit(1)"),
        Check("absent", ("/no/such/program",)),
    )
    monkeypatch.setattr(linting, "checks", lambda: three)
    return io.StringIO()


def test_every_check_runs_and_those_that_failed_are_named_last(output: io.StringIO) -> None:
    assert main([], Console(output)) == 1
    lines = output.getvalue().splitlines()
    assert lines[-1] == "make lint: 2 of 3 checks failed: bad, absent"
    assert "the reason" in lines
    assert any(line.startswith("good passed") for line in lines)


def test_one_check_may_be_chosen(output: io.StringIO) -> None:
    assert main(["good"], Console(output)) == 0
    assert output.getvalue().splitlines()[-1] == "make lint: 1 checks passed"


def test_an_unknown_check_is_an_error_that_lists_the_known(output: io.StringIO) -> None:
    with pytest.raises(StackError, match=r"god.*good, bad, absent"):
        main(["god"], Console(output))


def test_the_real_checks_have_names_of_their_own() -> None:
    names = [check.name for check in checks()]
    assert len(names) == len(set(names))
    assert {"ruff", "mypy", "mypy-gateway", "lint-imports", "compose", "hadolint"} <= set(names)
