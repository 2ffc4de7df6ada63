"""The settings of the events process."""

import pytest

from carillon.contracts.channels import CHANNELS
from carillon.settings import Environment, SettingsError
from gateway.deliveries.config import EventsSettings, read_retry_policies

NOTHING = Environment(files=())


def test_defaults() -> None:
    settings = EventsSettings.read(NOTHING)
    assert (settings.batch, settings.batch_wait, settings.port) == (500, 0.05, 9102)
    assert settings.prefetch >= settings.batch
    assert settings.retry_policies.keys() == CHANNELS.keys()
    assert settings.retry_policies["push"].max_attempts == 5


def test_a_channel_may_differ_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_ATTEMPTS", "4")
    monkeypatch.setenv("RETRY_DELAYS", "1,2")
    monkeypatch.setenv("SMS_MAX_ATTEMPTS", "2")
    monkeypatch.setenv("SMS_RETRY_DELAYS", "0.5")
    policies = read_retry_policies(NOTHING)
    assert (policies["sms"].max_attempts, policies["sms"].delays) == (2, (0.5,))
    assert (policies["email"].max_attempts, policies["email"].delays) == (4, (1.0, 2.0))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_ATTEMPTS", "0"),
        ("EMAIL_MAX_ATTEMPTS", "x"),
        ("RETRY_DELAYS", "5,soon"),
        ("RETRY_DELAYS", ","),
        ("RETRY_DELAYS", "-1"),
        ("RETRY_DELAYS", "nan"),
        ("PUSH_RETRY_DELAYS", "1e12"),
        ("EVENTS_BATCH", "0"),
        ("EVENTS_PREFETCH", "10"),
        ("RECONCILE_GIVE_UP_AFTER", "60"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        EventsSettings.read(NOTHING)
