"""How long a request waits for PostgreSQL."""

import pytest

from carillon.settings import Environment
from carillon.web import project
from carillon.web.postgresql.patience import left, patience


def test_without_a_request_there_is_no_bound() -> None:
    assert left() is None
    with patience(None):
        assert left() is None


def test_what_is_left_ends_at_zero_and_with_the_block() -> None:
    with patience(60.0):
        remaining = left()
        assert remaining is not None
        assert 0 < remaining <= 60
        with patience(0.0):
            assert left() == 0
        assert left() != 0
    assert left() is None


@pytest.mark.parametrize(("milliseconds", "seconds"), [("", 18.0), ("200", 3.2), ("0", None)])
def test_it_outlasts_the_statement_timeout(
    monkeypatch: pytest.MonkeyPatch, milliseconds: str, seconds: float | None
) -> None:
    monkeypatch.setenv("DATABASE_STATEMENT_TIMEOUT_MS", milliseconds)
    assert project._patience(Environment(())) == seconds
