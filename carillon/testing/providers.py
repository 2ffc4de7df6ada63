"""The provider contract suite: what every provider has to keep, whatever its wire protocol.

A provider's test module subclasses `ProviderContract`, names its `cases`, and gives a `rig`
fixture: the provider, wired to a double of its server that can be told how to answer.
"""

import gc
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
import structlog

from carillon.contracts import ids
from carillon.contracts.channels import CHANNELS, AddressKind, ContentKind
from carillon.contracts.lanes import Lane
from carillon.contracts.messages import (
    Address,
    Content,
    DeliveryJob,
    DeliveryPolicy,
    EmailContent,
    Mode,
    PushContent,
    TextContent,
)
from carillon.contracts.provider import Acceptance, Capabilities, OutcomeUnknown, Provider
from carillon.errors import DeliveryFailure, PermanentFailure, Reason, TemporaryFailure

# What must never leave the message: a canary in every place that is personal.
CANARY_ADDRESSES = {
    AddressKind.EMAIL: Address("canary.recipient@canary-domain.example"),
    AddressKind.PHONE: Address("+447700900987"),
    AddressKind.DEVICE: Address("canary-device-token-4f1d", platform="fcm", device_id="device_1"),
}
CANARY_NAME = "Canary Recipient"
CANARY_CODE = "canary-otp-918273"

CONCURRENT_SENDS = 8
# Characters that whoever declares no longest message takes at least.
LONG_TEXT = 5_000


def delivery_job(channel: str = "email", **changes: Any) -> DeliveryJob:
    """A job with canaries in it; `changes` are fields of DeliveryJob."""
    now = datetime.now(UTC)
    fields: dict[str, Any] = {
        "notification_id": ids.new_id(ids.NOTIFICATION),
        "attempt": 1,
        "organization_id": ids.new_id(ids.ORGANIZATION),
        "correlation_id": "corr_0123456789abcdef01234567",
        "channel": channel,
        "lane": Lane.NORMAL,
        "priority": 5,
        "mode": Mode.LIVE,
        "delivery": DeliveryPolicy.AT_LEAST_ONCE,
        "addresses": (CANARY_ADDRESSES[CHANNELS[channel].address],),
        "recipient_name": CANARY_NAME,
        "content": _content(CHANNELS[channel].content),
        "accepted_at": now,
        "queued_at": now,
    }
    return DeliveryJob(**{**fields, **changes})


def _content(kind: ContentKind, text: str = f"Your code is {CANARY_CODE}.") -> Content:
    if kind is ContentKind.EMAIL:
        return EmailContent("Your code", text, f"<p>{text}</p>")
    if kind is ContentKind.PUSH:
        return PushContent("Your code", text)
    return TextContent(text)


class Rig(ABC):
    """A provider and a double of its server."""

    provider: Provider
    channel: str
    secrets: tuple[str, ...] = ()
    """Credentials that the provider was given."""
    address: Address | None = None
    """To whom the suite sends; None where the channel's canary will do."""

    def job(self, **changes: Any) -> DeliveryJob:
        """A job for this provider; `changes` are fields of DeliveryJob."""
        if self.address is not None:
            changes = {"addresses": (self.address,), **changes}
        return delivery_job(self.channel, **changes)

    @abstractmethod
    def accept(self) -> None:
        """The server takes messages from now on."""

    @property
    @abstractmethod
    def accepted(self) -> int:
        """How many messages the server took."""

    @property
    def connections(self) -> int:
        """Connections that the server holds open; 0 for a provider that keeps none."""
        return 0


@dataclass(frozen=True, slots=True)
class Case:
    """One way a server fails, and what the provider must make of it."""

    name: str
    arrange: Callable[[Any], None]
    failure: type[DeliveryFailure]
    reason: Reason
    code: str | None = None
    retry_after: float | None = None


class ProviderContract:
    """Subclass it as `TestSomethingContract`."""

    cases: ClassVar[Sequence[Case]] = ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each case."""
        if "case" in metafunc.fixturenames:
            metafunc.parametrize("case", self.cases, ids=[case.name for case in self.cases])

    def test_its_name_can_be_a_metric_label_and_a_setting(self, rig: Rig) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_]{1,29}", rig.provider.name)
        assert isinstance(rig.provider.receipts, bool)

    def test_it_declares_what_it_can(self, rig: Rig) -> None:
        declared = rig.provider.capabilities
        assert isinstance(declared, Capabilities)
        assert declared.max_size >= 0
        assert declared.rate_per_second >= 0
        platforms = {address.platform for address in rig.job().addresses}
        assert all(declared.serves(platform) for platform in platforms)
        of_devices = CHANNELS[rig.channel].address is AddressKind.DEVICE
        assert of_devices or declared.platforms is None

    def test_what_is_longer_than_it_declares_is_refused(self, rig: Rig) -> None:
        rig.accept()
        most = rig.provider.capabilities.max_size
        long = "x" * ((most or LONG_TEXT) + 1)
        content = _content(CHANNELS[rig.channel].content, long)
        if not most:
            rig.provider.send(rig.job(content=content))
            assert rig.accepted == 1
            return
        with pytest.raises(PermanentFailure) as caught:
            rig.provider.send(rig.job(content=content))
        assert caught.value.reason is Reason.PAYLOAD_TOO_LARGE
        assert rig.accepted == 0

    def test_a_repeat_arrives_once_where_it_declares_so(self, rig: Rig) -> None:
        rig.accept()
        job = rig.job()
        rig.provider.send(job)
        rig.provider.send(job)
        assert rig.accepted == (1 if rig.provider.capabilities.idempotency_key else 2)

    def test_there_are_cases_for_both_failures(self, rig: Rig) -> None:
        assert {case.failure for case in self.cases} >= {TemporaryFailure, PermanentFailure}

    def test_an_accepted_message_is_sent_once(self, rig: Rig) -> None:
        rig.accept()
        acceptance = rig.provider.send(rig.job())
        assert isinstance(acceptance, Acceptance)
        assert rig.accepted == 1

    def test_threads_send_at_the_same_time(self, rig: Rig) -> None:
        rig.accept()
        jobs = [rig.job() for _ in range(5 * CONCURRENT_SENDS)]
        with ThreadPoolExecutor(CONCURRENT_SENDS) as pool:
            accepted = list(pool.map(rig.provider.send, jobs))
        assert rig.accepted == len(jobs)
        with_id = [each.provider_message_id for each in accepted if each.provider_message_id]
        assert len(set(with_id)) == len(with_id)

    def test_a_failure_is_told_in_our_words(self, rig: Rig, case: Case) -> None:
        case.arrange(rig)
        # A silent server stays so: without a bound of its own the call would not end.
        with pytest.raises(DeliveryFailure) as caught:
            rig.provider.send(rig.job())
        failure = caught.value
        assert type(failure) is case.failure
        assert failure.reason is case.reason
        assert case.code is None or failure.code == case.code
        assert getattr(failure, "retry_after", None) == case.retry_after
        assert case.failure is OutcomeUnknown or rig.accepted == 0

    def test_it_works_again_after_a_failure(self, rig: Rig, case: Case) -> None:
        case.arrange(rig)
        with pytest.raises(DeliveryFailure):
            rig.provider.send(rig.job())
        before = rig.accepted
        rig.accept()
        rig.provider.send(rig.job())
        assert rig.accepted == before + 1

    def test_a_failure_repeats_nothing_personal(
        self, rig: Rig, case: Case, caplog: pytest.LogCaptureFixture
    ) -> None:
        case.arrange(rig)
        caplog.set_level("DEBUG")
        with structlog.testing.capture_logs() as logs, pytest.raises(DeliveryFailure) as caught:
            rig.provider.send(rig.job())
        failure = caught.value
        said = f"{failure} {failure.message} {failure.code} {logs} {caplog.text}"
        assert leaks(said, rig) == []

    def test_success_logs_nothing_personal(
        self, rig: Rig, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        rig.accept()
        caplog.set_level("DEBUG")
        with structlog.testing.capture_logs() as logs:
            acceptance = rig.provider.send(rig.job())
        printed = capfd.readouterr()
        said = f"{logs} {caplog.text} {printed.out} {printed.err} {acceptance}"
        assert leaks(said, rig) == []

    def test_content_of_another_channel_is_permanent(self, rig: Rig) -> None:
        rig.accept()
        foreign = "sms" if CHANNELS[rig.channel].content is not ContentKind.TEXT else "email"
        job = rig.job(content=_content(CHANNELS[foreign].content))
        with pytest.raises(PermanentFailure) as caught:
            rig.provider.send(job)
        assert caught.value.reason is Reason.INVALID_CONTENT
        assert rig.accepted == 0

    def test_closing_leaves_nothing_behind(self, rig: Rig) -> None:
        rig.accept()
        threads = threading.active_count()
        rig.provider.send(rig.job())
        close_for_good(rig, threads)

    def test_closing_unused_or_twice_is_harmless(self, rig: Rig) -> None:
        rig.provider.close()
        rig.provider.close()


def close_for_good(rig: Rig, threads: int) -> None:
    """Close the provider: no connection stays, and no more threads than there were before."""
    rig.provider.close()
    gc.collect()
    deadline = time.monotonic() + 60
    # The server's own threads end some moments after its connections.
    while rig.connections or threading.active_count() > threads:
        assert time.monotonic() < deadline, (rig.connections, threading.enumerate())
        time.sleep(0.01)


def leaks(said: str, rig: Rig) -> list[str]:
    """Which canaries and secrets `said` repeats."""
    personal = [
        CANARY_NAME,
        CANARY_CODE,
        *(address.value for address in CANARY_ADDRESSES.values()),
        "canary.recipient",
        *rig.secrets,
    ]
    return [each for each in personal if each in said]
