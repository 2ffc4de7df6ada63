"""The console and the sandbox, which serve every channel."""

import pytest
import structlog

from carillon.contracts.channels import CHANNELS
from carillon.contracts.messages import Address
from carillon.errors import DeliveryFailure, PermanentFailure, Reason, TemporaryFailure
from carillon.settings import Environment
from carillon.testing.providers import (
    CANARY_ADDRESSES,
    CANARY_CODE,
    CANARY_NAME,
    delivery_job,
)
from carillon.worker.providers.console import ConsoleProvider
from carillon.worker.providers.sandbox import SandboxProvider

CHANNEL_NAMES = list(CHANNELS)


@pytest.mark.parametrize("channel", CHANNEL_NAMES)
def test_the_console_tells_where_but_not_whom(channel: str) -> None:
    with structlog.testing.capture_logs() as logs:
        acceptance = ConsoleProvider(show_content=False).send(delivery_job(channel))
    assert acceptance.provider_message_id.startswith("console_")
    [line] = logs
    assert line["channel"] == channel
    said = str(logs)
    assert CANARY_ADDRESSES[CHANNELS[channel].address].value not in said
    assert CANARY_NAME not in said
    assert CANARY_CODE not in said
    assert line["body_length"] > 0


@pytest.mark.parametrize("channel", CHANNEL_NAMES)
def test_the_console_shows_content_at_home_alone(
    channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for environment, shown in (("local", True), ("production", False)):
        monkeypatch.setenv("ENVIRONMENT", environment)
        provider = ConsoleProvider.from_environment(Environment(files=()))
        with structlog.testing.capture_logs() as logs:
            provider.send(delivery_job(channel))
        assert (CANARY_CODE in str(logs)) is shown
        assert CANARY_ADDRESSES[CHANNELS[channel].address].value not in str(logs)


@pytest.mark.parametrize("channel", CHANNEL_NAMES)
def test_the_sandbox_accepts(channel: str) -> None:
    acceptance = SandboxProvider().send(delivery_job(channel))
    assert acceptance.provider_message_id.startswith("sandbox_")


@pytest.mark.parametrize(
    ("channel", "address", "failure", "reason"),
    [
        ("email", "temp-fail@simulator.carillon.test", TemporaryFailure, None),
        ("email", "Perm-Fail@Simulator.Carillon.Test", PermanentFailure, Reason.OTHER),
        ("email", "bounce@simulator.carillon.test", PermanentFailure, Reason.BOUNCED),
        ("sms", "07700900003", TemporaryFailure, None),
        ("sms", "+447700900003", TemporaryFailure, None),
        ("sms", "07700900002", PermanentFailure, Reason.OTHER),
        ("whatsapp", "+447700900002", PermanentFailure, Reason.OTHER),
        ("push", "temp-fail", TemporaryFailure, None),
        ("push", "perm-fail-device-1", PermanentFailure, Reason.OTHER),
        ("push", "bounce", PermanentFailure, Reason.BOUNCED),
    ],
)
def test_magic_recipients_fail_as_asked(
    channel: str, address: str, failure: type[DeliveryFailure], reason: Reason | None
) -> None:
    with pytest.raises(failure) as caught:
        SandboxProvider().send(delivery_job(channel, addresses=(Address(address),)))
    assert reason is None or caught.value.reason is reason


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("email", "temp-fail@example.com"),
        ("email", "anyone@simulator.carillon.test"),
        ("sms", "+447700900004"),
        ("push", "a-temp-fail"),
    ],
)
def test_other_recipients_do_not(channel: str, address: str) -> None:
    SandboxProvider().send(delivery_job(channel, addresses=(Address(address),)))
