"""Settings."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from carillon.settings import Environment, SettingsError


@pytest.fixture
def env(tmp_path: Path) -> Callable[..., Environment]:
    def make(*texts: str) -> Environment:
        files = []
        for number, text in enumerate(texts):
            file = tmp_path / f"env{number}"
            file.write_text(text)
            files.append(file)
        return Environment(tuple(files))

    return make


def test_the_environment_comes_before_the_files_and_earlier_files_before_later(
    env: Callable[..., Environment], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("T_ONE", "environment")
    settings = env("T_ONE=first\nT_TWO=first\n", "T_ONE=b\nT_TWO=second\nT_THREE=second\n")
    assert settings.text("T_ONE") == "environment"
    assert settings.text("T_TWO") == "first"
    assert settings.text("T_THREE") == "second"
    assert settings.text("T_FOUR", "default") == "default"


def test_a_missing_setting_stops_the_start_with_its_name_and_an_example(
    env: Callable[..., Environment],
) -> None:
    with pytest.raises(SystemExit) as stop:
        env("T_EMPTY=\n").url("T_EMPTY", schemes=("redis",), example="redis://127.0.0.1:6379/0")
    assert "T_EMPTY is missing" in str(stop.value)
    assert "T_EMPTY=redis://127.0.0.1:6379/0" in str(stop.value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("integer", "many"),
        ("integer", "-1"),
        ("integer", "101"),
        ("integer", "1.5"),
        ("number", "nan"),
        ("number", "inf"),
        ("number", "1e3x"),
        ("flag", "perhaps"),
    ],
)
def test_a_malformed_value_is_refused(
    env: Callable[..., Environment], kind: str, text: str
) -> None:
    settings = env(f"T_VALUE={text}\n")
    read: Callable[[], object] = {
        "integer": partial(settings.integer, "T_VALUE", 1, most=100),
        "number": partial(settings.number, "T_VALUE", 1.0),
        "flag": partial(settings.flag, "T_VALUE", True),
    }[kind]  # type: ignore[assignment]
    with pytest.raises(SettingsError, match="T_VALUE"):
        read()


def test_a_bad_url_is_not_repeated_because_it_may_hold_a_password(
    env: Callable[..., Environment],
) -> None:
    with pytest.raises(SettingsError) as stop:
        env("T_URL=redis://user:hunter22@\n").url("T_URL", schemes=("redis",), example="redis://h")
    assert "hunter22" not in str(stop.value)


STRONG = "6f1d0a7c94e2b85311aa9e03d7c4f2b8"
PRODUCTION = "ENVIRONMENT=production\n"
LOCAL = "ENVIRONMENT=local\n"


@pytest.fixture
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the test run says nothing of where this is."""
    monkeypatch.delenv("ENVIRONMENT", raising=False)


@pytest.mark.usefixtures("_elsewhere")
@pytest.mark.parametrize("text", ["short", "changeme", "a-long-enough-secret,short"])
def test_weak_secrets_are_refused(env: Callable[..., Environment], text: str) -> None:
    with pytest.raises(SettingsError, match="too weak"):
        env(f"{LOCAL}T_SECRET={text}\n").secrets("T_SECRET", example="x")


@pytest.mark.usefixtures("_elsewhere")
@pytest.mark.parametrize("where", [PRODUCTION, ""])
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (STRONG[:31], "too weak: use 32 characters"),
        (f"{STRONG},{STRONG[:31]}", "too weak: use 32 characters"),
        ("ab" * 32, "draw it at random"),
        (f"local-only-{STRONG}", "everybody knows"),
    ],
)
def test_production_refuses_secrets_that_others_can_guess(
    env: Callable[..., Environment], where: str, text: str, problem: str
) -> None:
    with pytest.raises(SettingsError, match=problem) as stop:
        env(f"{where}T_SECRET={text}\n").secrets("T_SECRET", example="x")
    assert text not in str(stop.value)
    assert env(f"{LOCAL}T_SECRET={text}\n").secrets("T_SECRET", example="x")


@pytest.mark.usefixtures("_elsewhere")
def test_production_refuses_the_passwords_of_compose(env: Callable[..., Environment]) -> None:
    url = "T_URL=postgresql://carillon:local-only-postgres@db:5432\n"
    read: Callable[[Environment], str] = lambda settings: settings.url(  # noqa: E731
        "T_URL", schemes=("postgresql",), example="postgresql://h"
    )
    with pytest.raises(SettingsError, match="T_URL has a password that everybody knows"):
        read(env(PRODUCTION + url))
    assert read(env(LOCAL + url)).endswith("@db:5432")


@pytest.mark.usefixtures("_elsewhere")
def test_two_secrets_may_be_valid_while_one_is_rotated(env: Callable[..., Environment]) -> None:
    text = f"{PRODUCTION}T_SECRET={STRONG}, {STRONG[::-1]}\n"
    assert env(text).secrets("T_SECRET", example="x") == (STRONG, STRONG[::-1])


def test_lists_drop_blanks(env: Callable[..., Environment]) -> None:
    assert env("T_LIST=ses, ,smtp,\n").names("T_LIST", ()) == ("ses", "smtp")
    assert env("").names("T_LIST", ()) == ()
