"""Which providers, in which order, from settings."""

import pytest

from carillon.settings import Environment, SettingsError
from carillon.worker.rate_limit import Rate
from carillon.worker.registry import EVERYWHERE, configured_providers
from carillon.worker.tests.doubles import RecordingProvider

KNOWN = {
    **EVERYWHERE,
    "smtp": lambda _env: RecordingProvider("smtp"),
    "ses": lambda _env: RecordingProvider("ses"),
}


@pytest.fixture
def env() -> Environment:
    return Environment(files=())


def names(channel: str, env: Environment) -> list[str]:
    return [each.provider.name for each in configured_providers(channel, KNOWN, env)]


def test_the_table_of_channels_has_the_default(env: Environment) -> None:
    assert names("email", env) == ["smtp"]
    assert names("push", env) == ["console"]


def test_the_setting_gives_the_order(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_PROVIDERS", "ses, smtp,console")
    assert names("email", env) == ["ses", "smtp", "console"]


@pytest.mark.parametrize("value", ["sendmail", "smtp,sendmail", ",", "smtp,smtp"])
def test_a_bad_order_stops_the_start(
    env: Environment, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("EMAIL_PROVIDERS", value)
    with pytest.raises(SettingsError, match="EMAIL_PROVIDERS"):
        names("email", env)


def test_an_unknown_name_lists_the_known(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_PROVIDERS", "sendmail")
    with pytest.raises(SettingsError, match=r"sendmail.*console, sandbox, ses, smtp"):
        names("email", env)


def test_a_rate_limit_belongs_to_a_channel_and_provider(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMAIL_PROVIDERS", "ses,smtp")
    monkeypatch.setenv("EMAIL_SES_RATE_PER_SECOND", "14")
    monkeypatch.setenv("EMAIL_SES_RATE_BURST", "28")
    rates = [each.rate for each in configured_providers("email", KNOWN, env)]
    assert rates == [Rate(14.0, 28), None]
