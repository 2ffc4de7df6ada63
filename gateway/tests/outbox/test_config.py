"""The relay's settings."""

import pytest

from carillon.settings import Environment, SettingsError
from gateway.outbox.config import RelaySettings


def test_defaults() -> None:
    settings = RelaySettings.read(Environment(files=()))
    assert settings.window == 500
    assert (settings.poll_least, settings.poll_most) == (0.01, 0.1)
    assert settings.port == 9101


def test_a_long_shortest_poll_raises_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAY_POLL_MIN_MS", "250")
    settings = RelaySettings.read(Environment(files=()))
    assert (settings.poll_least, settings.poll_most) == (0.25, 0.25)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RELAY_WINDOW", "0"),
        ("RELAY_WINDOW", "many"),
        ("RELAY_PUBLISH_TIMEOUT", "0"),
        ("RELAY_POLL_MAX_MS", "5"),
        ("RELAY_PORT", "70000"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        RelaySettings.read(Environment(files=()))
